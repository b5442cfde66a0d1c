import type { ResourceType } from "nomad-changefeed-client";
import { go, href, queryValue, route } from "../../app/router.ts";
import { Tabs } from "../../ui/tabs.tsx";
import { objectCounts } from "./counts.ts";
import { isKind, KINDS, kindOf } from "./kinds/kinds.ts";
import { KindTable } from "./kind-table.tsx";
import css from "./state.module.css";

/** Every object of the cluster, in a table a kind. */
export default function StatePage() {
  const wanted = route.value.path[1] ?? "";
  const type = isKind(wanted) ? wanted : "jobs";
  const at = queryValue("at");
  const counts = at === "" ? objectCounts.value : new Map<ResourceType, number>();
  return (
    <div class={css.page}>
      <h1 class="visually-hidden">State</h1>
      <Tabs
        label="Kind of object"
        tabs={KINDS.map((kind) => {
          const count = counts.get(kind.type);
          return { id: kind.type, label: kind.label, ...(count !== undefined && { count }) };
        })}
        selected={type}
        onSelect={(id) => go(href(["state", id], { namespace: queryValue("namespace") }))}
      />
      <KindTable key={type} kind={kindOf(type)} />
    </div>
  );
}

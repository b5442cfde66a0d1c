import type { ResourceType } from "nomad-changefeed-client";
import { go, href, queryValue, route } from "../../app/router.ts";
import { Tabs } from "../../ui/tabs.tsx";
import { objectCounts } from "./counts.ts";
import { TABLES } from "./tables.tsx";
import css from "./state.module.css";

/** Every object of the cluster, in a table a kind. */
export default function StatePage() {
  const wanted = route.value.path[1] ?? "";
  const [jobs] = TABLES;
  const { type, Table } = TABLES.find((table) => table.type === wanted) ?? jobs;
  const at = queryValue("at");
  const counts = at === "" ? objectCounts.value : new Map<ResourceType, number>();
  return (
    <div class={css.page}>
      <h1 class="visually-hidden">State</h1>
      <Tabs
        label="Kind of object"
        tabs={TABLES.map(({ type: id, label }) => {
          const count = counts.get(id);
          return { id, label, ...(count !== undefined && { count }) };
        })}
        selected={type}
        onSelect={(id) => go(href(["state", id], { namespace: queryValue("namespace") }))}
      />
      <Table key={type} />
    </div>
  );
}

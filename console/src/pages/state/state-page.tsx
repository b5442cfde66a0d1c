import type { ResourceType } from "nomad-changefeed-client";
import { go, href, queryValue, route } from "../../app/router.ts";
import { Tabs } from "../../ui/tabs.tsx";
import { assignments } from "../../feed/health.ts";
import { objectCounts } from "./counts.ts";
import { otherTable, TABLES, type ObjectTable } from "./tables.tsx";
import css from "./state.module.css";

/** Every object of the cluster, in a table a kind. */
export default function StatePage() {
  const wanted = route.value.path[1] ?? "";
  const [jobs] = TABLES;
  const tables = [...TABLES, ...otherTables()];
  const { type, Table } =
    tables.find((table) => table.type === wanted) ?? (isUnknownYet(wanted) ? otherTable(wanted) : jobs);
  const at = queryValue("at");
  const counts = at === "" ? objectCounts.value : new Map<ResourceType, number>();
  return (
    <div class={css.page}>
      <h1 class="visually-hidden">State</h1>
      <Tabs
        label="Kind of object"
        tabs={tables.map(({ type: id, label }) => {
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

/** Which kinds the feed watches is not known at once. */
function isUnknownYet(wanted: string): wanted is ResourceType {
  return wanted !== "" && assignments.value === undefined;
}

/** Of the kinds that the feed watches beside the usual ones. */
function otherTables(): ObjectTable[] {
  const usual = new Set<string>(TABLES.map(({ type }) => type));
  return [...objectCounts.value.keys()]
    .filter((type) => !usual.has(type))
    .toSorted()
    .map(otherTable);
}

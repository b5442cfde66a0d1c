import type { Assignment } from "nomad-changefeed-client";
import { href, queryValue, setQuery } from "../../app/router.ts";
import { assignments, isScope } from "../../feed/health.ts";
import { Chip } from "../../ui/chip.tsx";
import { comparing, sortIn, sortText, type Column, type Sort } from "../../ui/columns.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { Empty, Panel, Skeleton } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { partsOf } from "../../words/names.ts";
import { duration } from "../../words/time.ts";
import css from "./cluster.module.css";
import { useLatencies, type Latency } from "./latencies.ts";
import { scopeCount } from "./scope-count.ts";

interface Scope extends Assignment {
  readonly latency: Latency | undefined;
}

const USUAL: Sort = { column: "state", isDescending: false };

/** What the feed reads, and how far each can be trusted now. What is wrong comes first. */
export function ScopesPanel() {
  const latencies = useLatencies();
  const all = assignments.value;
  if (all === undefined) {
    return (
      <Panel title="Scopes">
        <Skeleton lines={6} />
      </Panel>
    );
  }
  const scopes = all
    .filter(({ assignment }) => isScope(assignment))
    .map((scope): Scope => ({ ...scope, latency: latencies.get(scope.assignment) }));
  const sort = sortIn(queryValue("scopes"), COLUMNS, USUAL);
  const column = COLUMNS.find(({ id }) => id === sort.column) ?? COLUMNS[0];
  const rows = column === undefined ? scopes : scopes.toSorted(comparing(column, sort.isDescending, keyOf));
  return (
    <Panel title="Scopes" aside={scopeCount(scopes)} flush>
      <div class={css.scopes} data-few={scopes.length < 8 ? "" : undefined}>
        <DataTable
          label="Scopes"
          columns={COLUMNS}
          rows={rows}
          sort={sort}
          onSort={(next) => setQuery({ scopes: sortText(next, USUAL) })}
          keyOf={keyOf}
          hrefOf={tableOf}
          empty={<Empty title="The feed reads nothing that you may see" />}
        />
      </div>
    </Panel>
  );
}

const keyOf = ({ assignment }: Scope) => assignment;

/** Its objects. */
function tableOf({ assignment }: Scope): string {
  const { resource, namespace } = partsOf(assignment);
  return href(["state", resource], { namespace: namespace === "*" || namespace === "-" ? null : namespace });
}

const COLUMNS: readonly Column<Scope>[] = [
  {
    id: "scope",
    label: "Scope",
    value: ({ assignment }) => assignment,
    show: (scope) => <a href={tableOf(scope)}>{nameOf(scope)}</a>,
    width: "minmax(130px, 1.4fr)",
    narrow: 1,
  },
  {
    id: "state",
    label: "State",
    value: rankOf,
    show: (scope) => <Condition scope={scope} />,
    width: "minmax(104px, 1fr)",
    narrow: 1,
  },
  {
    id: "objects",
    label: "Objects",
    value: ({ objects }) => objects,
    width: "64px",
    align: "end",
  },
  {
    id: "latency",
    label: "Latency p50",
    value: ({ latency }) => latency?.p50Ms ?? null,
    show: ({ latency }) => latency && duration(latency.p50Ms),
    width: "84px",
    align: "end",
  },
  {
    id: "p99",
    label: "p99",
    value: ({ latency }) => latency?.p99Ms ?? null,
    show: ({ latency }) => latency && <span title="Latency">{duration(latency.p99Ms)}</span>,
    width: "58px",
    align: "end",
    narrow: 2,
  },
  {
    id: "lag",
    label: "Lag",
    value: ({ lagMs }) => lagMs,
    show: ({ lagMs }) => (lagMs === null ? "" : lagMs === 0 ? "none" : duration(lagMs)),
    width: "52px",
    align: "end",
  },
  {
    id: "read",
    label: "Last read",
    value: ({ lastOkAt }) => lastOkAt,
    show: ({ lastOkAt }) => lastOkAt && <Time at={lastOkAt} as="age" />,
    width: "76px",
    narrow: 2,
  },
  {
    id: "how",
    label: "How",
    value: ({ reading }) => reading,
    show: ({ reading }) => <span class="muted">{reading === "hinted" ? "by events" : reading}</span>,
    width: "72px",
    narrow: 2,
  },
];

function nameOf({ assignment }: Scope): string {
  const { resource, namespace } = partsOf(assignment);
  if (namespace === "-") return resource;
  return namespace === "*" ? `${resource} everywhere` : `${resource} in ${namespace}`;
}

function Condition({ scope: { condition, state, reason } }: { scope: Scope }) {
  const why = reason === null ? {} : { title: reason };
  if (state === "waiting") return <Chip tone="error">nobody reads it</Chip>;
  switch (condition) {
    case "ok":
      return <span class={css.ready}>up to date</span>;
    case "starting":
      return <Chip tone="info">starting</Chip>;
    case "stale":
      return (
        <Chip tone="warn" {...why}>
          stale
        </Chip>
      );
    case "access-lost":
      return (
        <Chip tone="error" {...why}>
          not accessible
        </Chip>
      );
    case "unsupported":
      return (
        <span class="muted" {...why}>
          Nomad does not have it
        </span>
      );
    case null:
      return <span class="muted">not known</span>;
    default:
      return condition satisfies never;
  }
}

const RANKS = ["access-lost", "stale", "starting", null, "unsupported", "ok"];

function rankOf({ condition, state }: Scope): number {
  return state === "waiting" ? -1 : RANKS.indexOf(condition);
}

import type { Assignment } from "nomad-changefeed-client";
import { assignments, isScope } from "../../feed/health.ts";
import { Chip } from "../../ui/chip.tsx";
import { Panel, Skeleton } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { duration } from "../../words/time.ts";
import css from "./cluster.module.css";
import { useLatencies, type Latency } from "./latencies.ts";

/** What the feed reads, and how far each can be trusted now. What is wrong comes first. */
export function ScopesPanel() {
  const all = assignments.value;
  const latencies = useLatencies();
  const scopes = (all ?? []).filter(({ assignment }) => isScope(assignment)).toSorted(byTrouble);
  const wrong = scopes.filter(({ condition }) => condition !== "ok").length;
  return (
    <Panel
      title="Scopes"
      aside={
        all &&
        (wrong === 0 ? `${scopes.length}, all up to date` : `${wrong} of ${scopes.length} not up to date`)
      }
      flush
    >
      {all === undefined ? (
        <Skeleton lines={6} />
      ) : (
        <div class={css.scroll} tabIndex={0} role="region" aria-label="Scopes">
          <table class={css.table}>
            <thead>
              <tr>
                <th scope="col">Scope</th>
                <th scope="col">State</th>
                <th scope="col" class={css.number}>
                  Objects
                </th>
                <th scope="col" class={css.number} title="From when it happened to when it was in the log">
                  Latency p50, p99
                </th>
                <th scope="col" class={css.number}>
                  Lag
                </th>
                <th scope="col">Last read</th>
                <th scope="col">How</th>
                <th scope="col">Worker</th>
              </tr>
            </thead>
            <tbody>
              {scopes.map((scope) => (
                <ScopeRow key={scope.assignment} scope={scope} latency={latencies.get(scope.assignment)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function ScopeRow({ scope, latency }: { scope: Assignment; latency: Latency | undefined }) {
  const { assignment, condition, reason, objects, lagMs, lastOkAt, reading, worker } = scope;
  return (
    <tr>
      <th scope="row">{assignment.replace("/", " in ").replace(" in -", "")}</th>
      <td>
        <Condition scope={scope} />
        {reason !== null && condition !== "ok" && <span class={css.why}> {reason}</span>}
      </td>
      <td class={css.number}>{objects?.toLocaleString("en") ?? "–"}</td>
      <td class={css.number}>
        {latency === undefined ? "–" : `${duration(latency.p50Ms)}, ${duration(latency.p99Ms)}`}
      </td>
      <td class={css.number}>{lagMs === null ? "–" : lagMs === 0 ? "none" : duration(lagMs)}</td>
      <td>{lastOkAt === null ? "–" : <Time at={lastOkAt} as="age" />}</td>
      <td class="muted">{reading === "hinted" ? "by events" : (reading ?? "–")}</td>
      <td class="muted">{worker ?? "–"}</td>
    </tr>
  );
}

function Condition({ scope: { condition, state } }: { scope: Assignment }) {
  if (state === "waiting") return <Chip tone="error">nobody reads it</Chip>;
  switch (condition) {
    case "ok":
      return <span class={css.ready}>up to date</span>;
    case "starting":
      return <Chip tone="info">starting</Chip>;
    case "stale":
      return <Chip tone="warn">stale</Chip>;
    case "access-lost":
      return <Chip tone="error">not accessible</Chip>;
    case null:
      return <span class="muted">not known</span>;
    default:
      return condition satisfies never;
  }
}

const RANKS = ["access-lost", "stale", "starting", null, "ok"];

function byTrouble(one: Assignment, other: Assignment): number {
  const rank = ({ condition, state }: Assignment) => (state === "waiting" ? -1 : RANKS.indexOf(condition));
  return rank(one) - rank(other) || (one.assignment < other.assignment ? -1 : 1);
}

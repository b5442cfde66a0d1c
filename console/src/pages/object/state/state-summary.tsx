import type { ComponentChildren } from "preact";
import { Chip } from "../../../ui/chip.tsx";
import { Time } from "../../../ui/time.tsx";
import { taskEventWords } from "../../../words/task-events.ts";
import { text, type Stub } from "../stubs.ts";
import { toneOf } from "./facts.ts";
import css from "./state.module.css";

/** What of an object is worth a table of its own: tasks, groups, drivers, what could not be placed. */
export function StateSummary({ resource, stub }: { resource: string; stub: Stub }) {
  switch (resource) {
    case "allocations":
      return <Tasks states={membersOf(stub["TaskStates"])} />;
    case "jobs":
      return <JobGroups groups={membersOf(membersOf(stub["JobSummary"])["Summary"])} />;
    case "deployments":
      return <DeploymentGroups groups={membersOf(stub["TaskGroups"])} />;
    case "evaluations":
      return <NotPlaced groups={membersOf(stub["FailedTGAllocs"])} />;
    case "nodes":
      return <Drivers drivers={membersOf(stub["Drivers"])} />;
    default:
      return null;
  }
}

interface TableProps {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly children: ComponentChildren;
}

function Table({ caption, columns, children }: TableProps) {
  return (
    <table class={css.table}>
      <caption class="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}

function Tasks({ states }: { states: Stub }) {
  const tasks = Object.entries(states);
  if (tasks.length === 0) return null;
  return (
    <Table caption="Tasks" columns={["Task", "State", "Restarts", "Last"]}>
      {tasks.map(([name, value]) => {
        const task = membersOf(value);
        const { Events: events } = task;
        const last: unknown = Array.isArray(events) ? events.at(-1) : undefined;
        const hasFailed = task["Failed"] === true;
        return (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>
              {text(task, "State")}
              {hasFailed && " (failed)"}
            </td>
            <td class={css.number}>{text(task, "Restarts")}</td>
            <td>{taskEventWords(last) ?? ""}</td>
          </tr>
        );
      })}
    </Table>
  );
}

const COUNTS = ["Running", "Starting", "Queued", "Complete", "Failed", "Lost", "Unknown"] as const;

function JobGroups({ groups }: { groups: Stub }) {
  const entries = Object.entries(groups).map(([name, value]) => [name, membersOf(value)] as const);
  if (entries.length === 0) return null;
  const columns = COUNTS.filter((column) => entries.some(([, group]) => Number(group[column] ?? 0) > 0));
  return (
    <Table caption="Groups" columns={["Group", ...columns]}>
      {entries.map(([name, group]) => (
        <tr key={name}>
          <th scope="row">{name}</th>
          {columns.map((column) => (
            <td key={column} class={css.number}>
              {text(group, column) || "0"}
            </td>
          ))}
        </tr>
      ))}
    </Table>
  );
}

function DeploymentGroups({ groups }: { groups: Stub }) {
  return (
    <Table caption="Groups" columns={["Group", "Healthy", "Unhealthy", "Canaries", "Must progress by"]}>
      {Object.entries(groups).map(([name, value]) => {
        const group = membersOf(value);
        const canaries = Number(group["DesiredCanaries"] ?? 0);
        const by = text(group, "RequireProgressBy");
        return (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>
              {text(group, "HealthyAllocs")} of {text(group, "DesiredTotal")}
            </td>
            <td class={css.number}>{text(group, "UnhealthyAllocs")}</td>
            <td>
              {canaries === 0 ? "none" : `${canaries}, ${group["Promoted"] === true ? "" : "not "}promoted`}
            </td>
            <td>{by === "" || by.startsWith("0001") ? "" : <Time at={by} as="clock" />}</td>
          </tr>
        );
      })}
    </Table>
  );
}

function NotPlaced({ groups }: { groups: Stub }) {
  return (
    <>
      {Object.entries(groups).map(([name, value]) => {
        const group = membersOf(value);
        const reasons = [
          ...reasonsIn(group["ConstraintFiltered"], "filtered by"),
          ...reasonsIn(group["DimensionExhausted"], "without"),
          ...reasonsIn(group["ClassFiltered"], "of class"),
        ];
        return (
          <p key={name} class={css.reason}>
            <Chip tone="warn">{name} could not be placed</Chip> Of {text(group, "NodesEvaluated") || "0"}{" "}
            nodes that were looked at{reasons.length === 0 ? ", none was fit" : `: ${reasons.join(", ")}`}.
          </p>
        );
      })}
    </>
  );
}

function reasonsIn(value: unknown, words: string): string[] {
  return Object.entries(membersOf(value)).map(([name, nodes]) => `${String(nodes)} ${words} ${name}`);
}

function Drivers({ drivers }: { drivers: Stub }) {
  const found = Object.entries(drivers)
    .map(([name, value]) => [name, membersOf(value)] as const)
    .filter(([, driver]) => driver["Detected"] === true);
  if (found.length === 0) return null;
  return (
    <p class={css.drivers}>
      <span class="muted">Drivers</span>
      {found.map(([name, driver]) => (
        <Chip
          key={name}
          tone={driver["Healthy"] === true ? "plain" : toneOf("failed")}
          title={text(driver, "HealthDescription")}
        >
          {name}
          {driver["Healthy"] !== true && " unhealthy"}
        </Chip>
      ))}
    </p>
  );
}

function membersOf(value: unknown): Stub {
  return typeof value === "object" && value !== null ? (value as Stub) : {};
}

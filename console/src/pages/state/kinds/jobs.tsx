import { jobState } from "../../../words/job.ts";
import { msOfNanos } from "../../../words/nanos.ts";
import { Subject } from "../../../ui/subject.tsx";
import { namespaceColumn, numberColumn, State, timeColumn, type Tone } from "./cells.tsx";
import type { BaseRow, Kind } from "./kind.ts";

export interface JobRow extends BaseRow {
  readonly name: string;
  readonly state: string;
  readonly type: string;
  readonly priority: number;
  readonly pool: string;
  readonly running: number;
  /** Allocations that should run now: those that do, those that start, those that find no place. */
  readonly wanted: number;
  readonly groups: number;
  readonly failed: number;
  readonly submittedMs: number | null;
}

export const jobs: Kind<JobRow, "jobs"> = {
  type: "jobs",
  label: "Jobs",
  isNamespaced: true,
  example: 'Type == "service" and Status != "running"',
  sort: { column: "submitted", isDescending: true },
  selectors: {
    Name: ({ name }) => name,
    ID: ({ id }) => id,
    NodePool: ({ pool }) => pool,
    Namespace: ({ namespace }) => namespace,
  },
  rowOf: ({ subject, namespace, id, stub }) => {
    const groups = Object.values(stub.JobSummary?.Summary ?? {});
    const sum = (of: (group: (typeof groups)[number]) => number) =>
      groups.reduce((total, group) => total + (of(group) || 0), 0);
    const running = sum(({ Running }) => Running);
    return {
      subject,
      namespace,
      id,
      name: stub.Name,
      state: jobState(stub),
      type: kindOf(stub),
      priority: stub.Priority,
      pool: stub.NodePool ?? "",
      running,
      wanted: running + sum(({ Starting }) => Starting) + sum(({ Queued }) => Queued),
      groups: groups.length,
      failed: sum(({ Failed }) => Failed),
      submittedMs: msOfNanos(stub.SubmitTime),
    };
  },
  columns: [
    {
      id: "name",
      label: "Job",
      value: ({ name }) => name,
      show: ({ subject, name }) => <Subject subject={subject} name={name} plain />,
      width: "minmax(160px, 2fr)",
      narrow: 1,
    },
    namespaceColumn<JobRow>(),
    {
      id: "status",
      label: "Status",
      value: ({ state }) => state,
      show: ({ state }) => <State word={state} tone={TONES[state] ?? "plain"} />,
      width: "96px",
      narrow: 1,
    },
    { id: "type", label: "Type", value: ({ type }) => type, width: "minmax(84px, 0.6fr)", narrow: 2 },
    {
      id: "running",
      label: "Running",
      value: ({ running }) => running,
      show: (row) => <RunningCount {...row} />,
      width: "84px",
      align: "end",
      narrow: 2,
    },
    numberColumn("groups", "Groups", ({ groups }) => groups),
    numberColumn("failed", "Failed", ({ failed }) => failed),
    numberColumn("priority", "Priority", ({ priority }) => priority),
    { id: "pool", label: "Pool", value: ({ pool }) => pool, width: "minmax(70px, 0.5fr)" },
    timeColumn("submitted", "Submitted", ({ submittedMs }) => submittedMs, 2),
  ],
};

const TONES: Readonly<Record<string, Tone>> = {
  running: "ok",
  pending: "info",
  dead: "plain",
  failed: "error",
};

function kindOf({
  Type,
  Periodic,
  ParameterizedJob,
  ParentID,
}: Parameters<Kind<JobRow, "jobs">["rowOf"]>[0]["stub"]) {
  if (Periodic) return `${Type} periodic`;
  if (ParameterizedJob) return `${Type} param.`;
  return ParentID === "" ? Type : `${Type} child`;
}

function RunningCount({ running, wanted }: JobRow) {
  if (wanted === 0) return <span class="muted">–</span>;
  const text = `${running}/${wanted}`;
  return running < wanted ? <State word={text} tone="warn" /> : text;
}

import { msOfNanos } from "../../../words/nanos.ts";
import { placementReasons } from "../../../words/placement.ts";
import { idColumn, jobColumn, namespaceColumn, numberColumn, State, timeColumn } from "./cells.tsx";
import type { BaseRow, Kind } from "./kind.ts";

export interface EvaluationRow extends BaseRow {
  readonly job: string;
  readonly status: string;
  readonly type: string;
  readonly triggeredBy: string;
  readonly priority: number | null;
  /** Why Nomad could not place all; else what it says of the status. */
  readonly reason: string;
  readonly createdMs: number | null;
  readonly modifiedMs: number | null;
}

export const evaluations: Kind<EvaluationRow, "evaluations"> = {
  type: "evaluations",
  label: "Evaluations",
  isNamespaced: true,
  example: 'Status == "blocked" and TriggeredBy != "job-register"',
  sort: { column: "modified", isDescending: true },
  selectors: {
    JobID: ({ job }) => job,
    Status: ({ status }) => status,
    TriggeredBy: ({ triggeredBy }) => triggeredBy,
    Type: ({ type }) => type,
    Namespace: ({ namespace }) => namespace,
  },
  rowOf: ({ subject, namespace, id, stub }) => ({
    subject,
    namespace,
    id,
    job: stub.JobID ?? "",
    status: stub.Status,
    type: stub.Type,
    triggeredBy: stub.TriggeredBy,
    priority: stub.Priority ?? null,
    reason: placementReasons(stub).join("; ") || (stub.StatusDescription ?? ""),
    createdMs: msOfNanos(stub.CreateTime),
    modifiedMs: msOfNanos(stub.ModifyTime),
  }),
  columns: [
    idColumn<EvaluationRow>(),
    jobColumn<EvaluationRow>(),
    {
      id: "status",
      label: "Status",
      value: ({ status }) => status,
      show: ({ status }) => <State word={status} tone={TONES[status] ?? "plain"} />,
      width: "92px",
      narrow: 1,
    },
    { id: "type", label: "Type", value: ({ type }) => type, width: "76px" },
    {
      id: "trigger",
      label: "Triggered by",
      value: ({ triggeredBy }) => triggeredBy,
      width: "minmax(110px, 0.8fr)",
      narrow: 2,
    },
    {
      id: "reason",
      label: "Reason",
      value: ({ reason }) => (reason === "" ? null : reason),
      show: ({ reason }) => (
        <span class="muted" title={reason}>
          {reason}
        </span>
      ),
      width: "minmax(140px, 2.4fr)",
      narrow: 2,
    },
    namespaceColumn<EvaluationRow>(),
    numberColumn("priority", "Priority", ({ priority }) => priority),
    timeColumn("created", "Created", ({ createdMs }) => createdMs),
    timeColumn("modified", "Changed", ({ modifiedMs }) => modifiedMs, 2),
  ],
};

const TONES = { blocked: "warn", pending: "info", failed: "error" } as Readonly<
  Record<string, "warn" | "info" | "error">
>;

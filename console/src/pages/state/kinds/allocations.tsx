import { msOfNanos } from "../../../words/nanos.ts";
import {
  idColumn,
  jobColumn,
  namespaceColumn,
  NodeLink,
  numberColumn,
  State,
  timeColumn,
  type Tone,
} from "./cells.tsx";
import type { BaseRow, Kind } from "./kind.ts";

export interface AllocationRow extends BaseRow {
  readonly job: string;
  readonly group: string;
  /** Its number in the group. */
  readonly index: string;
  readonly client: string;
  readonly desired: string;
  /** Another one took its place. */
  readonly isReplaced: boolean;
  readonly node: string;
  readonly nodeName: string;
  readonly version: number;
  readonly restarts: number;
  readonly health: string;
  readonly createdMs: number | null;
  readonly modifiedMs: number | null;
}

export const allocations: Kind<AllocationRow, "allocations"> = {
  type: "allocations",
  label: "Allocations",
  isNamespaced: true,
  example: 'ClientStatus == "failed" and JobID matches "^web"',
  sort: { column: "modified", isDescending: true },
  selectors: {
    JobID: ({ job }) => job,
    TaskGroup: ({ group }) => group,
    NodeName: ({ nodeName }) => nodeName,
    NodeID: ({ node }) => node,
    ClientStatus: ({ client }) => client,
    Namespace: ({ namespace }) => namespace,
  },
  rowOf: ({ subject, namespace, id, stub }) => ({
    subject,
    namespace,
    id,
    job: stub.JobID,
    group: stub.TaskGroup,
    index: /\[(\d+)\]$/.exec(stub.Name)?.[1] ?? "",
    client: stub.ClientStatus,
    desired: stub.DesiredStatus,
    isReplaced: (stub.NextAllocation ?? "") !== "",
    node: stub.NodeID,
    nodeName: stub.NodeName,
    version: stub.JobVersion,
    restarts: Object.values(stub.TaskStates ?? {}).reduce((sum, { Restarts }) => sum + (Restarts || 0), 0),
    health: healthOf(stub.DeploymentStatus),
    createdMs: msOfNanos(stub.CreateTime),
    modifiedMs: msOfNanos(stub.ModifyTime),
  }),
  columns: [
    idColumn<AllocationRow>(),
    jobColumn<AllocationRow>(),
    {
      id: "group",
      label: "Group",
      value: ({ group }) => group,
      show: ({ group, index }) => (
        <>
          {group}
          {index !== "" && <span class="muted">[{index}]</span>}
        </>
      ),
      width: "minmax(96px, 1fr)",
      narrow: 2,
    },
    {
      id: "client",
      label: "Status",
      value: ({ client }) => client,
      show: (row) => <State word={row.client} tone={toneOf(row)} />,
      width: "92px",
      narrow: 1,
    },
    {
      id: "desired",
      label: "Desired",
      value: ({ desired }) => desired,
      show: ({ desired }) => <span class="muted">{desired}</span>,
      width: "66px",
    },
    {
      id: "health",
      label: "Health",
      value: ({ health }) => (health === "" ? null : health),
      show: ({ health }) => <State word={health} tone={health === "unhealthy" ? "warn" : "plain"} />,
      width: "84px",
    },
    namespaceColumn<AllocationRow>(),
    {
      id: "node",
      label: "Node",
      value: ({ nodeName }) => nodeName,
      show: ({ node, nodeName }) => <NodeLink id={node} name={nodeName} />,
      width: "minmax(90px, 1fr)",
      narrow: 2,
    },
    numberColumn("version", "Version", ({ version }) => version),
    numberColumn("restarts", "Restarts", ({ restarts }) => restarts),
    timeColumn("created", "Created", ({ createdMs }) => createdMs),
    timeColumn("modified", "Changed", ({ modifiedMs }) => modifiedMs, 2),
  ],
};

function healthOf(status: { readonly Healthy: boolean | null; readonly Canary: boolean } | null): string {
  if (status === null || status.Healthy === null) return status?.Canary === true ? "canary" : "";
  return status.Healthy ? "healthy" : "unhealthy";
}

/** Red is for what should run and does not, now: what failed and was replaced is history. */
function toneOf({ client, desired, isReplaced }: AllocationRow): Tone {
  if (client === "running") return desired === "run" ? "ok" : "info";
  if (client === "pending") return "info";
  const shouldRun = desired === "run" && !isReplaced;
  return shouldRun && (client === "failed" || client === "lost" || client === "unknown") ? "error" : "plain";
}

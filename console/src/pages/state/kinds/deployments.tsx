import { deploymentTone, needsPromotion } from "../../../words/deployment.ts";
import { msOfNanos } from "../../../words/nanos.ts";
import { DeploymentLink, jobColumn, namespaceColumn, numberColumn, State, timeColumn } from "./cells.tsx";
import type { BaseRow, Kind } from "./kind.ts";

export interface DeploymentRow extends BaseRow {
  readonly job: string;
  readonly version: number;
  readonly status: string;
  readonly description: string;
  readonly healthy: number;
  readonly unhealthy: number;
  readonly placed: number;
  readonly desired: number;
  readonly canaries: number;
  readonly createdMs: number | null;
  readonly modifiedMs: number | null;
}

export const deployments: Kind<DeploymentRow, "deployments"> = {
  type: "deployments",
  label: "Deployments",
  isNamespaced: true,
  example: 'Status == "running" and any TaskGroups as _, g { g.DesiredCanaries != 0 }',
  sort: { column: "created", isDescending: true },
  selectors: { JobID: ({ job }) => job, Namespace: ({ namespace }) => namespace },
  rowOf: ({ subject, namespace, id, stub }) => {
    const groups = Object.values(stub.TaskGroups ?? {});
    const sum = (of: (group: (typeof groups)[number]) => number) =>
      groups.reduce((total, group) => total + (of(group) || 0), 0);
    return {
      subject,
      namespace,
      id,
      job: stub.JobID,
      version: stub.JobVersion,
      status: needsPromotion(stub) ? "needs promotion" : stub.Status,
      description: stub.StatusDescription,
      healthy: sum(({ HealthyAllocs }) => HealthyAllocs),
      unhealthy: sum(({ UnhealthyAllocs }) => UnhealthyAllocs),
      placed: sum(({ PlacedAllocs }) => PlacedAllocs),
      desired: sum(({ DesiredTotal }) => DesiredTotal),
      canaries: sum(({ DesiredCanaries }) => DesiredCanaries),
      createdMs: msOfNanos(stub.CreateTime),
      modifiedMs: msOfNanos(stub.ModifyTime),
    };
  },
  columns: [
    {
      id: "id",
      label: "Id",
      value: ({ id }) => id,
      show: ({ subject, id }) => <DeploymentLink subject={subject} id={id} />,
      width: "84px",
      narrow: 2,
    },
    jobColumn<DeploymentRow>(),
    numberColumn("version", "Version", ({ version }) => version),
    {
      id: "status",
      label: "Status",
      value: ({ status }) => status,
      show: ({ status }) => <State word={status} tone={deploymentTone(status)} />,
      width: "126px",
      narrow: 1,
    },
    {
      id: "healthy",
      label: "Healthy",
      value: ({ healthy }) => healthy,
      show: ({ healthy, desired }) => `${healthy}/${desired}`,
      width: "76px",
      align: "end",
      narrow: 2,
    },
    numberColumn("unhealthy", "Unhealthy", ({ unhealthy }) => unhealthy),
    numberColumn("canaries", "Canaries", ({ canaries }) => canaries),
    namespaceColumn<DeploymentRow>(),
    {
      id: "description",
      label: "Description",
      value: ({ description }) => description,
      show: ({ description }) => (
        <span class="muted" title={description}>
          {description}
        </span>
      ),
      width: "minmax(120px, 2fr)",
    },
    timeColumn("created", "Created", ({ createdMs }) => createdMs, 2),
    timeColumn("modified", "Changed", ({ modifiedMs }) => modifiedMs),
  ],
};

import { deploymentFacts, stateOf, sumOf, type DeploymentFacts } from "../../../rollouts/facts.ts";
import { deploymentTone } from "../../../words/deployment.ts";
import { DeploymentLink, jobColumn, namespaceColumn, numberColumn, State, timeColumn } from "./cells.tsx";
import type { Kind } from "./kind.ts";

export const deployments: Kind<DeploymentFacts, "deployments"> = {
  type: "deployments",
  label: "Deployments",
  isNamespaced: true,
  example: 'Status == "running" and any TaskGroups as _, g { g.DesiredCanaries != 0 }',
  sort: { column: "created", isDescending: true },
  selectors: { JobID: ({ job }) => job, Namespace: ({ namespace }) => namespace },
  rowOf: deploymentFacts,
  columns: [
    {
      id: "id",
      label: "Id",
      value: ({ id }) => id,
      show: ({ subject, id }) => <DeploymentLink subject={subject} id={id} />,
      width: "84px",
      narrow: 2,
    },
    jobColumn<DeploymentFacts>(),
    numberColumn("version", "Version", ({ version }) => version),
    {
      id: "status",
      label: "Status",
      value: stateOf,
      show: (row) => <State word={stateOf(row)} tone={deploymentTone(stateOf(row))} />,
      width: "126px",
      narrow: 1,
    },
    {
      id: "healthy",
      label: "Healthy",
      value: (row) => sumOf(row, "healthy"),
      show: (row) => `${sumOf(row, "healthy")}/${sumOf(row, "desired")}`,
      width: "76px",
      align: "end",
      narrow: 2,
    },
    numberColumn("unhealthy", "Unhealthy", (row) => sumOf(row, "unhealthy")),
    numberColumn("canaries", "Canaries", (row) => sumOf(row, "canaries")),
    namespaceColumn<DeploymentFacts>(),
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

import type { Alert } from "nomad-changefeed-client";

/** What an alert is about, as an object's subject; undefined where it is no object, as a scope of the feed. */
export function subjectOf({ labels }: Pick<Alert, "labels">): { subject: string; name: string } | undefined {
  const { namespace, job, node } = labels;
  if (job !== undefined && namespace !== undefined) return { subject: `jobs/${namespace}/${job}`, name: job };
  return node === undefined ? undefined : { subject: `nodes/-/${node}`, name: node };
}

/** Ids in an alert's details, and of which resource they are. */
const RESOURCE_OF: Readonly<Record<string, string>> = {
  example: "allocations",
  deployment: "deployments",
  evaluation: "evaluations",
};

/** The object that a detail names. */
export function subjectOfDetail(name: string, value: string, { labels }: Alert): string | undefined {
  const resource = RESOURCE_OF[name];
  const { namespace } = labels;
  return resource === undefined || namespace === undefined ? undefined : `${resource}/${namespace}/${value}`;
}

/** The object of an event's id: `0/allocations/default/5456…@884210`; undefined for events of the feed itself. */
export function subjectOfEvent(id: string): string | undefined {
  const [, ...rest] = id.split("/");
  const subject = rest.join("/").replace(/@[^@]*$/, "");
  return subject.startsWith("feed/") || subject === "" ? undefined : subject;
}

/** Labels that tell alerts of one feed apart. */
export function tellingLabels({ labels }: Pick<Alert, "labels">): [name: string, value: string][] {
  return Object.entries(labels).filter(([name]) => name !== "cluster" && name !== "region");
}

/** An expression that holds of alerts with these labels. */
export function filterOf(labels: readonly (readonly [name: string, value: string])[]): string {
  return labels.map(([name, value]) => `Labels.${name} == ${JSON.stringify(value)}`).join(" and ");
}

/** `deploymentWaits` → `deployment waits` */
export function spaced(name: string): string {
  return name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
}

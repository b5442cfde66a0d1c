/** Namespace capabilities the simulated endpoints know, and the shorthands Nomad expands to them. */
export type Capability =
  | "deny"
  | "list-jobs"
  | "parse-job"
  | "read-job"
  | "read-logs"
  | "submit-job"
  | "csi-list-volume"
  | "csi-read-volume"
  | "read-job-scaling"
  | "list-scaling-policies"
  | "read-scaling-policy"
  | "host-volume-read";

const READ: readonly Capability[] = [
  "list-jobs",
  "parse-job",
  "read-job",
  "csi-list-volume",
  "csi-read-volume",
  "read-job-scaling",
  "list-scaling-policies",
  "read-scaling-policy",
  "host-volume-read",
];

export function expandCapabilities(
  rule: readonly Capability[] | "read" | "write" | "deny",
): readonly Capability[] {
  if (rule === "read") return READ;
  if (rule === "write") return [...READ, "read-logs", "submit-job"];
  if (rule === "deny") return ["deny"];
  return rule;
}

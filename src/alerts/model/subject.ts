import type { ResourceType } from "../../schemas/resources.ts";
import type { GroupRecord, JobRecord } from "./job.ts";
import type { NodeRecord } from "./node.ts";

/** What an alert can be about. */
export type SubjectRef =
  | { readonly kind: "group"; readonly namespace: string; readonly job: string; readonly group: string }
  | { readonly kind: "job"; readonly namespace: string; readonly job: string }
  | { readonly kind: "node"; readonly node: string }
  | { readonly kind: "scope"; readonly scope: string };
export type SubjectKind = SubjectRef["kind"];

/** What is known of each kind. */
export interface Subjects {
  readonly group: { readonly job: JobRecord; readonly group: GroupRecord };
  readonly job: { readonly job: JobRecord };
  readonly node: { readonly node: NodeRecord };
  readonly scope: { readonly scope: ScopeRecord };
}

/** What the feed says about itself: of one scope, or as "feed" of the whole. */
export interface ScopeRecord {
  readonly name: string;
  /** Null: of every resource. */
  readonly resource: ResourceType | null;
  /** "*" for all. */
  readonly namespace: string;
  trouble: { readonly state: "stale" | "access-lost"; readonly reason: string } | undefined;
  /** When events were lost between two that are known, and why. */
  gap: { readonly at: number; readonly reason: string } | undefined;
}

/** No part of a name holds a NUL. */
export function subjectKey(ref: SubjectRef): string {
  if (ref.kind === "group") return `group\0${ref.namespace}\0${ref.job}\0${ref.group}`;
  if (ref.kind === "job") return `job\0${ref.namespace}\0${ref.job}`;
  return ref.kind === "node" ? `node\0${ref.node}` : `scope\0${ref.scope}`;
}

/** The subject of a key that `subjectKey` made. */
export function subjectOfKey(key: string): SubjectRef {
  const [kind, first = "", second = "", third = ""] = key.split("\0");
  if (kind === "group") return { kind, namespace: first, job: second, group: third };
  if (kind === "job") return { kind, namespace: first, job: second };
  return kind === "node" ? { kind, node: first } : { kind: "scope", scope: first };
}

/** What tells one alert of a rule from another. */
export function labelsOf(ref: SubjectRef): Record<string, string> {
  const { kind: _kind, ...labels } = ref;
  return labels;
}

import type { GroupSpec } from "../model/job.ts";
import type { Random } from "../random.ts";

const WORDS = [
  "api",
  "billing",
  "cache",
  "checkout",
  "search",
  "mailer",
  "ledger",
  "gateway",
  "metrics",
  "auth",
] as const;
const GROUPS = ["web", "worker", "frontend", "backend"] as const;
const SIDECARS = ["proxy", "logs"] as const;
const NAMESPACES = ["qa", "staging", "team-a", "team-b", "batch", "edge", "data", "tools"] as const;

export function jobName(random: Random): string {
  return `${random.pick(WORDS)}-${random.between(1, 99_999)}`;
}

/** The namespace at a position: a word while they last, then numbered. */
export function namespaceName(position: number): string {
  return NAMESPACES[position] ?? `ns-${position}`;
}

/** Few, so that they come back. */
export function passingNamespaceName(random: Random): string {
  return `ci-${random.between(1, 3)}`;
}

/** Task groups for about so many allocations; one in five has sidecars. */
export function groupsFor(random: Random, allocations: number): GroupSpec[] {
  const tasks = ["main", ...(random.chance(0.2) ? SIDECARS : [])];
  return [{ name: random.pick(GROUPS), count: allocations, tasks }];
}

/** What is counted of a group. */
export interface GroupCounts {
  restarts: number;
  oomKills: number;
  failedAllocations: number;
  reschedules: number;
}

export const OUTCOMES = ["successful", "failed", "cancelled"] as const;

/** Upper bounds of the buckets that durations of deployments are counted in, seconds. */
export const DURATION_BOUNDS: readonly number[] = [10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200];

/** What is counted of a job. Durations are seconds. */
export interface JobCounts {
  /** Whether it is to complete, as those of the types batch and sysbatch; others have deployments. */
  isBatch: boolean;
  readonly groups: Map<string, GroupCounts>;
  readonly deployments: Record<(typeof OUTCOMES)[number], number>;
  /** How many deployments ended within each bound and not within the one before; the last has no bound. */
  readonly durations: number[];
  durationSum: number;
  /** That its evaluations were blocked. */
  blockedSeconds: number;
  /** When an allocation of a batch job completed last, seconds since 1970; null: not yet. */
  lastSuccess: number | null;
}

/** What is counted of a node, seconds. */
export interface NodeCounts {
  name: string;
  downSeconds: number;
  drainSeconds: number;
}

function newGroup(): GroupCounts {
  return { restarts: 0, oomKills: 0, failedAllocations: 0, reschedules: 0 };
}

export function newJob(isBatch: boolean): JobCounts {
  return {
    isBatch,
    groups: new Map(),
    deployments: { successful: 0, failed: 0, cancelled: 0 },
    durations: Array.from({ length: DURATION_BOUNDS.length + 1 }, () => 0),
    durationSum: 0,
    blockedSeconds: 0,
    lastSuccess: null,
  };
}

export function groupOf({ groups }: JobCounts, name: string): GroupCounts {
  const counts = groups.get(name) ?? newGroup();
  groups.set(name, counts);
  return counts;
}

export function countDuration(counts: JobCounts, seconds: number): void {
  const bound = DURATION_BOUNDS.findIndex((upTo) => seconds <= upTo);
  const position = bound === -1 ? DURATION_BOUNDS.length : bound;
  counts.durations[position] = (counts.durations[position] ?? 0) + 1;
  counts.durationSum += seconds;
}

export function noteSuccess(counts: JobCounts, at: number): void {
  counts.lastSuccess = Math.max(counts.lastSuccess ?? 0, at);
}

/** 0 where `now` is before. */
export function secondsBetween(since: number, now: number): number {
  return Math.max(0, now - since) / 1000;
}

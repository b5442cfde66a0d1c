import { z } from "zod";
import { DURATION_BOUNDS } from "./counts.ts";
import type { JobMetricsState } from "./fold.ts";

const count = z.number().nonnegative();
const group = z.object({ restarts: count, oomKills: count, failedAllocations: count, reschedules: count });
const job = z.object({
  isBatch: z.boolean(),
  groups: entries(group).transform((groups) => new Map(groups)),
  deployments: z.object({ successful: count, failed: count, cancelled: count }),
  durations: z.array(count).length(DURATION_BOUNDS.length + 1),
  durationSum: count,
  blockedSeconds: count,
  lastSuccess: count.nullable(),
});
const span = z.object({ job: z.string(), since: count });
const since = count.nullable();
const stateSchema = z.object({
  maxJobs: count,
  jobs: entries(job),
  deployments: entries(span),
  blocked: entries(span),
  nodes: z.object({
    spans: entries(z.object({ series: z.string(), downSince: since, drainSince: since })),
    counts: entries(z.object({ name: z.string(), downSeconds: count, drainSeconds: count })),
  }),
});

/** As JSON, on one line. */
export function jobMetricsText(state: JobMetricsState): string {
  const jobs = state.jobs.map(([key, { groups, ...counts }]) => [key, { ...counts, groups: [...groups] }]);
  return JSON.stringify({ ...state, jobs });
}

/** Undefined where the text is none that this program can go on from. @throws SyntaxError where it is no JSON */
export function parseJobMetrics(text: string): JobMetricsState | undefined {
  return stateSchema.safeParse(JSON.parse(text)).data;
}

function entries<Value extends z.ZodType>(value: Value) {
  return z.array(z.tuple([z.string(), value]));
}

import { z } from "zod";
import { SEVERITY_NAMES } from "./severity.ts";

const time = z.iso.datetime({ offset: true });
const count = z.int().nonnegative();

/** What events can be counted by. */
export const COUNTED_BY = ["severity", "type", "namespace", "op", "aspect", "signal", "job", "node"] as const;
export type CountedBy = (typeof COUNTED_BY)[number];

/** What `/v1/counts` answers. */
export const countsSchema = z.object({
  since: time.describe("From when on events were recorded"),
  until: time.describe("Before when they were"),
  bucketMs: z.int().positive().describe("How long a bucket is; the last one may end after `until`"),
  total: count,
  complete: z.boolean().describe("Whether all events between the two times were counted"),
  from: time.describe("From when on they were: what is older was removed, or would have cost too much"),
  buckets: z
    .array(
      z.object({
        at: time.describe("When it begins"),
        total: count,
        severities: z.partialRecord(z.enum(SEVERITY_NAMES), count).describe("Those that there were"),
      }),
    )
    .describe("Oldest first, without gaps"),
  values: z
    .array(z.object({ value: z.string(), count }))
    .optional()
    .describe("What was counted by, largest first, at most 50; absent by severity"),
  others: count.optional().describe("Events of the values that were left out"),
});
export type Counts = z.infer<typeof countsSchema>;

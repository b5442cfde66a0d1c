import { z } from "zod";
import { jobVersionSchema } from "./job-versions-schema.ts";

/** What `--enrich` finds out beside the lists. */
export const ENRICHMENTS = ["actor", "spec", "logs", "node"] as const;
export type EnrichmentName = (typeof ENRICHMENTS)[number];

const unavailableSchema = z.object({
  unavailable: z.string().describe("Why it could not be found out, in words"),
});

const specVersionSchema = jobVersionSchema.pick({ version: true, submittedAt: true }).extend({
  diff: jobVersionSchema.shape.diff.describe(
    "What it changed in the version before; null where Nomad keeps none before it",
  ),
  redacted: z
    .array(z.string())
    .describe("Paths of the changes in `diff` whose values may be secrets: [redacted] stands for them"),
});
export type SpecVersion = z.infer<typeof specVersionSchema>;

export const specSchema = z.union([specVersionSchema, unavailableSchema]);

export const logSchema = z.union([
  z.object({
    task: z.string().describe("The task that failed"),
    stream: z.literal("stderr"),
    exitCode: z.int().optional().describe("As its last event of an end says"),
    signal: z.int().positive().optional().describe("Number of the signal that ended it"),
    lines: z.array(z.string()).describe("The last of the stream, oldest first: 20 lines and 4 KiB at most"),
  }),
  unavailableSchema,
]);

const nodeDetailsSchema = z.object({
  events: z
    .array(z.object({ message: z.string(), subsystem: z.string(), time: z.string() }))
    .describe("The node's own events since its version before, oldest first; Nomad keeps the ten newest"),
  changes: z
    .array(z.object({ path: z.string(), from: z.string().optional(), to: z.string().optional() }))
    .optional()
    .describe("Of /Attributes and /Meta since this process read the node last; absent where it had not"),
  omitted: z.int().nonnegative().optional().describe("How many changes more there are than are listed"),
});
export type NodeDetails = z.infer<typeof nodeDetailsSchema>;

export const nodeSchema = z.union([nodeDetailsSchema, unavailableSchema]);

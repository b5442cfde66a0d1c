import { z } from "zod";

/** What Nomad calls a kind of difference, in the words of the feed. */
const CHANGE_KINDS = ["added", "deleted", "edited"] as const;

const specChangeSchema = z.object({
  path: z
    .string()
    .describe(
      "JSON Pointer into the specification: /TaskGroups/<group>/Tasks/<task>/Config/image; blocks without a name are counted from 1",
    ),
  kind: z.enum(CHANGE_KINDS),
  old: z.string().optional().describe("Absent where it was added; [redacted] where it may be a secret"),
  new: z.string().optional().describe("Absent where it was deleted; [redacted] where it may be a secret"),
});
export type SpecChange = z.infer<typeof specChangeSchema>;

export const jobVersionSchema = z.object({
  version: z.int().nonnegative(),
  submittedAt: z.iso.datetime().nullable().describe("When it was registered; a revert has its first time"),
  stable: z.boolean().describe("Whether a deployment of it succeeded"),
  stopped: z.boolean().describe("Whether this version is the job's stop"),
  status: z.string().optional().describe("Status of the job when this version was the newest"),
  versionTag: z
    .object({ name: z.string(), description: z.string(), taggedAt: z.iso.datetime().nullable() })
    .optional(),
  diff: z
    .object({
      changes: z.array(specChangeSchema),
      omitted: z.int().nonnegative().describe("How many changes more there are than are listed"),
    })
    .nullable()
    .describe("What it changed in the version before; null for the oldest that Nomad keeps"),
});
export type JobVersion = z.infer<typeof jobVersionSchema>;

export const jobVersionsSchema = z.object({
  job: z.string(),
  namespace: z.string(),
  versions: z.array(jobVersionSchema).describe("As many as Nomad keeps, newest first"),
  readAt: z.iso.datetime().describe("When Nomad was asked"),
});
export type JobVersionList = z.infer<typeof jobVersionsSchema>;

import { z } from "zod";
import { DATA_SCHEMAS, logAttributes, redactedMember } from "./envelope-schema.ts";
import { RESOURCE_TYPES } from "./resources.ts";

const scope = z.object({
  resource: z.enum(RESOURCE_TYPES),
  namespace: z.string().min(1).describe('A name, "*" for all, "-" for a resource that has no namespaces'),
});

const SCOPE_STATES = [
  "stale",
  "recovered",
  "access-lost",
  "access-restored",
  "unsupported",
  "supported",
] as const;

const baselineDataSchema = z.object({
  scope,
  count: z.int().nonnegative().describe("Objects that were there when the feed polled first"),
  index: z
    .string()
    .regex(/^\d{1,20}$/)
    .describe("Raft index of that poll"),
});

const resyncDataSchema = z.object({
  scope,
  phase: z.enum(["begin", "end"]),
  reason: z.string().describe("Why the scope's history does not go on from what was known"),
  ...redactedMember,
});

const scopeDataSchema = z.object({
  scope: scope.nullable().describe("Null: the whole feed, all its scopes"),
  state: z.enum(SCOPE_STATES),
  reason: z.string(),
  since: z.iso
    .datetime({ offset: true })
    .optional()
    .describe("Last time the scope, or every scope of the feed, was known to be true"),
  ...redactedMember,
});

const epochDataSchema = z.object({
  previous: z.string().nullable(),
  current: z.string().min(1),
  reason: z.string(),
  ...redactedMember,
});

const control = <Type extends string, Data extends z.ZodType>(type: Type, data: Data) =>
  z.object({ ...logAttributes, type: z.literal(type), dataschema: z.literal(DATA_SCHEMAS.control), data });

/** What the feed says about itself, in its place among the changes. */
export const controlEventSchema = z.discriminatedUnion("type", [
  control("nomad.feed.baseline", baselineDataSchema),
  control("nomad.feed.resync", resyncDataSchema),
  control("nomad.feed.scope", scopeDataSchema),
  control("nomad.feed.epoch", epochDataSchema),
]);
export type ControlEventJson = z.infer<typeof controlEventSchema>;

import { z } from "zod";
import { ASPECTS, changeTypes, OPS } from "./draft.ts";
import { DATA_SCHEMAS, logAttributes, redactedMember } from "./envelope-schema.ts";
import { logSchema, nodeSchema, specSchema } from "./enrichment-schema.ts";
import { stringField, type JsonObject } from "./json.ts";
import { RESOURCE_TYPES, RESOURCES, type ObjectRef } from "./resources.ts";

/** Where a poll stands in its scope's history. */
const POLL_MODES = ["live", "catchup", "resync"] as const;
export type PollMode = (typeof POLL_MODES)[number];

const index = z.string().regex(/^\d{1,20}$/);

const resourceBlockSchema = z.object({
  type: z.enum(RESOURCE_TYPES),
  namespace: z.string().describe('"-" for what belongs to no namespace'),
  id: z.string().min(1),
  name: z.string().optional(),
  job: z.string().optional(),
  group: z.string().optional(),
  node: z.string().optional(),
});
export type ResourceBlock = z.infer<typeof resourceBlockSchema>;

/** One difference. Without `from` the member appeared, without `to` it vanished. */
const jsonChangeSchema = z.object({
  path: z
    .string()
    .regex(/^(?:\/(?:[^~/]|~0|~1)*)*$/u)
    .describe("JSON Pointer, RFC 6901"),
  from: z.unknown().optional(),
  to: z.unknown().optional(),
});

const revSchema = z.object({
  current: index
    .nullable()
    .describe(
      "Raft index of this version; null where the object has none, and with op version. Compare with !=, never with >",
    ),
  previous: index.nullable().describe("That of the version before; null where there was none"),
  created: index.nullable().describe("Raft index at which the object was created"),
});

const observedSchema = z.object({
  mode: z
    .enum(POLL_MODES)
    .describe("live; catchup: first poll after a start or failover; resync: Nomad's history changed"),
  via: z
    .enum(["list", "hint"])
    .optional()
    .describe("list: a whole list; hint: the object alone, where Nomad's event stream named it"),
  coalesced: z
    .enum(["no", "maybe"])
    .describe('"no": no version of the object between previous and current was missed'),
  superseded: z
    .literal(true)
    .optional()
    .describe("A state in between: a later version was read with it, and follows"),
  skipped: z
    .literal(true)
    .optional()
    .describe("With op version: no poll saw it; Nomad's list of versions told of it when the next was seen"),
  missedTaskEvents: z
    .array(z.string())
    .optional()
    .describe("Tasks of which events may have come and gone unseen: Nomad keeps the ten newest of each"),
  fromIndex: index.nullable().describe("Raft index of the previous poll"),
  toIndex: index.describe("Raft index of the poll that saw the change"),
  since: z.iso.datetime({ offset: true }).nullable().describe("Time of the previous poll"),
  nomadEpoch: z.int().nonnegative().describe("Grows when Nomad was restored from a snapshot"),
  timeBasis: z.string().describe('Stub field that `time` was read from, or "observed"'),
});
export type Observed = z.infer<typeof observedSchema>;

const actorSchema = z.object({
  kind: z.string().describe("What Nomad knew it by: token, alloc (a task's identity), …"),
  id: z.string().describe("Of a token: its accessor"),
  name: z.string().optional().describe("The token's, as it was when the event was made"),
  basis: z
    .enum(["drain", "job-register"])
    .describe(
      "What Nomad vouches by: the node's last drain, or the token that registered this version of the job",
    ),
});
export type Actor = z.infer<typeof actorSchema>;

const stub = z.record(z.string(), z.unknown());

export const changeDataSchema = z.object({
  op: z.enum(OPS),
  aspect: z.enum(ASPECTS).describe("The most significant of what changed"),
  signals: z.array(z.string()).describe("Named transitions, docs/signals.md"),
  resource: resourceBlockSchema,
  actor: actorSchema.optional().describe("Who made the change, where Nomad vouches for it"),
  spec: specSchema
    .optional()
    .describe("With --enrich spec, of a job whose specification was written: what its version changed"),
  version: z
    .int()
    .nonnegative()
    .optional()
    .describe("With op version: which version of the job was overtaken before a poll saw it"),
  log: logSchema
    .optional()
    .describe("With --enrich logs, of an allocation with a task that failed: what the task wrote last"),
  node: nodeSchema
    .optional()
    .describe("With --enrich node, of a node: what it says of itself that the list leaves out"),
  explanation: z
    .string()
    .optional()
    .describe("Of an evaluation that could not place everything: why, in words, group by group"),
  changes: z
    .array(jsonChangeSchema)
    .optional()
    .describe("With update: turns before into after, in order; undone in reverse order"),
  changesTruncated: z.int().positive().optional().describe("Changes left out for size; `dataref` has them"),
  before: stub.optional().describe("With delete: the last known stub"),
  after: stub
    .optional()
    .describe("With create, update, snapshot: the list stub as Nomad sent it; absent with `dataref`"),
  rev: revSchema,
  observed: observedSchema,
  ...redactedMember,
});
export type ChangeData = z.infer<typeof changeDataSchema>;

/** What was found out about a change beside the lists. */
export type Enrichment = Pick<ChangeData, "actor" | "spec" | "log" | "node">;

/** A change of one Nomad object, as it stands in the log and leaves it. */
export const changeEventSchema = z.object({
  ...logAttributes,
  type: z.enum(RESOURCE_TYPES.flatMap(changeTypes)),
  dataschema: z.literal(DATA_SCHEMAS.change),
  dataref: z
    .string()
    .optional()
    .describe(
      "Where the whole `data` is, relative to where the event came from, where the event was too large to hold it",
    ),
  data: changeDataSchema,
});
export type ChangeEvent = z.infer<typeof changeEventSchema>;

/** Who the event is about: the ref and what the stub says of its relations; empty fields are left out. */
export function resourceBlock(ref: ObjectRef, value: JsonObject): ResourceBlock {
  const { nameField, references } = RESOURCES[ref.resource];
  const field = (name: string | undefined) => (name === undefined ? "" : (stringField(value, name) ?? ""));
  const name = field(nameField);
  const job = field(references.job);
  const group = field(references.group);
  const node = field(references.node);
  return {
    type: ref.resource,
    namespace: ref.namespace,
    id: ref.key,
    ...(name !== "" && { name }),
    ...(job !== "" && { job }),
    ...(group !== "" && { group }),
    ...(node !== "" && { node }),
  };
}

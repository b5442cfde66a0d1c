import { z } from "zod";

/** Grows when a reader of audit trails would have to change. */
export const AUDIT_FORMAT = 1;

const sequence = z.int().nonnegative();
const epoch = z.string().regex(/^[a-z0-9]{1,32}$/);

/** Entry 0 of every trail. The entry after it is the event `firstSeq`. */
export const genesisEntrySchema = z.object({
  type: z.literal("changefeed.audit.genesis"),
  feed: z.string().min(1).describe("The feed's source: nomad://<cluster>/<region>"),
  epoch: epoch.describe("History of the log that the sequences belong to, as in cursors"),
  firstSeq: sequence.describe("Sequence of the event in the next entry"),
  origin: z.string().min(1).describe("First line of the trail's checkpoints"),
  format: z.literal(AUDIT_FORMAT),
});

/** Events that the trail does not have. The entry after it is the event `nextSeq`. */
const gapEntrySchema = z.object({
  type: z.literal("changefeed.audit.gap"),
  fromSeq: sequence.describe("Sequence of the first event that is missing"),
  nextSeq: sequence.describe(
    "Sequence of the event in the next entry; all before it, from `fromSeq` on, are missing",
  ),
  reason: z.string().min(1).describe("Why, for people"),
});

/** The log began a new history. The entry after it is the event `nextSeq` of it. */
const epochEntrySchema = z.object({
  type: z.literal("changefeed.audit.epoch"),
  epoch: epoch.describe("The new history"),
  nextSeq: sequence.describe("Sequence of the event in the next entry"),
});

/**
 * Entries that are no events. Every entry after one of them is the event that follows the one before: index and
 * sequence are tied by counting.
 */
export const auditMarkSchema = z.discriminatedUnion("type", [
  genesisEntrySchema,
  gapEntrySchema,
  epochEntrySchema,
]);
export type AuditMark = z.infer<typeof auditMarkSchema>;

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);

/** What stands in an event that is too large for an entry, in place of its `data`. */
export const detachedDataSchema = z.looseObject({
  datasha256: sha256Hex.describe("SHA-256 of the bytes of `data`"),
  datasize: z.int().positive().describe("How many bytes"),
  dataref: z.templateLiteral(["objects/", sha256Hex]).describe("The file that has them, beside the tiles"),
});
export type DetachedData = z.infer<typeof detachedDataSchema>;

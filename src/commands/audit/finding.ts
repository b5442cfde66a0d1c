/** What of a trail is not as its signed checkpoint says, or as it should have been written. */
export interface Finding {
  readonly kind:
    | "missing"
    | "changed"
    | "duplicated"
    | "reordered"
    | "inserted"
    /** A file of hashes is not right; the entries are, or were pruned. */
    | "tile"
    /** The entries and tiles agree with each other, not with the checkpoint. */
    | "rewritten"
    /** A part of it that a kept checkpoint has is gone. */
    | "rollback"
    /** It and a kept checkpoint tell two histories. */
    | "fork"
    | "other-log"
    /** The checkpoint is not signed as it should be. */
    | "signature"
    | "checkpoint"
    | "object"
    /** The entries are right; the lines for people are not. */
    | "daily"
    /** An entry that no writer of trails makes. */
    | "malformed";
  /** For people. */
  readonly message: string;
  /** Of the entry, from 0. */
  readonly index?: number;
  /** Of the event that belongs there, in its epoch. */
  readonly sequence?: number;
  /** CloudEvents subject of what stands there. */
  readonly object?: string;
  /** The file, below the trail. */
  readonly path?: string;
}

/** What the types of stubs are made of. */
export interface Members {
  [name: string]: unknown;
}

export interface Indexed extends Members {
  /** Raft index. */
  CreateIndex: number;
  /** Raft index. */
  ModifyIndex: number;
}

/** Nanoseconds since 1970; exceeds 2^53, so JSON.parse rounds it: `originalText` has every digit. */
export type Nanos = number;
/** RFC 3339; null where there is none yet. */
export type Time = string | null;

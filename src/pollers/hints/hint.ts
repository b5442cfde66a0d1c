import type { JsonObject } from "../../schemas/json.ts";
import type { ObjectRef } from "../../schemas/resources.ts";

/** Topics of Nomad's event stream that name what is watched. */
export const STREAM_TOPICS = ["Job", "Allocation", "Evaluation", "Deployment", "Node"] as const;
export type StreamTopic = (typeof STREAM_TOPICS)[number];

/** An object to look at: something of it changed at this raft index, or will have in a moment. */
export interface Hint extends ObjectRef {
  readonly index: bigint;
  /** The topic of the event that named it. */
  readonly cause: StreamTopic;
  /** The stub as the list will have it, as JSON: deployments and evaluations only, whose lists hold whole objects. */
  readonly payload?: Buffer;
  /** An allocation as the event has it, where only its client may have written it: see updatedAllocation. */
  readonly update?: JsonObject;
  /** A job that was deleted, and with it, without events, its allocations, evaluations and deployments. */
  readonly gone?: true;
}

/** What one raft entry did, as far as one scope is concerned. */
export interface HintFrame {
  readonly index: bigint;
  /** Of the scope's resource and namespace, and jobs of its namespace that are gone; may be empty. */
  readonly hints: readonly Hint[];
}

/** Who follows the hints of one scope. Is called in order, never from within `want`, and throws nothing. */
export interface HintListener {
  /**
   * A raft entry that explains the scope's index or names objects of the scope. Two frames in a row can have the same
   * index.
   */
  onFrame(frame: HintFrame): void;
  /** Everything from now on is heard: a list asked for from now on covers what came before. */
  onLive(): void;
  /** Something may have been missed, or the stream is away: hints mean nothing until `onLive`. */
  onGap(reason: string): void;
}

export interface HintSubscription {
  /**
   * Whether the listener was told, since its last `onLive`, all that changed in its resource's table at this index,
   * as far as its scope goes.
   */
  explains(index: bigint): boolean;
  end(): void;
}

export interface HintSourceState {
  /** "off": nobody wants hints. "unavailable": refused, and asked for again every few minutes. */
  readonly kind: "off" | "connecting" | "live" | "unavailable";
  readonly reason?: string;
}

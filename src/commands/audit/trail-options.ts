import type { FeedAddress } from "../support/feed-request.ts";

/** Of every command that reads a trail. */
export interface TrailOptions extends Omit<FeedAddress, "url"> {
  /** Public keys, one of which has to have signed. */
  readonly keys: readonly string[];
}

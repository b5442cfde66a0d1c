import type {
  Bookmark,
  ChangeEventOf,
  Connected,
  ControlEvent,
  Gap,
  SnapshotMark,
  SnapshotObject,
  SubscribeOptions,
} from "nomad-changefeed-client";

/** What comes of following the feed. */
export type FollowedItem =
  | ChangeEventOf
  | ControlEvent
  | SnapshotObject
  | SnapshotMark
  | Gap
  | Bookmark
  | Connected;

export interface Following {
  /** Whom each is given to, in order. */
  readonly onItem: (item: FollowedItem) => void;
  /** It will not go on: what was asked for is refused. */
  readonly onEnd: (error: Error) => void;
}

export type FollowOptions = Omit<SubscribeOptions, "url" | "signal" | "notices">;

import { notOpen } from "../../waiting-room.ts";
import type { FeedMount } from "../feed-mount.ts";
import type { Answer } from "../mount.ts";

/** What is said to whoever asks for all feeds while there is none. */
export function noneServed(feeds: readonly FeedMount[]): Answer {
  return notOpen(feeds.map(({ name, awaited }) => `${name}: ${awaited}`).join("; "));
}

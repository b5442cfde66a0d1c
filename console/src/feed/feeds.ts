import { signal } from "@preact/signals";
import { feedPlaceOf } from "../words/feed-place.ts";
import { SERVER_URL } from "./server.ts";

/** A feed of the process, as `/v1/feeds` tells of it. */
export interface ListedFeed {
  readonly name: string;
  /** Relative to the address of the process. */
  readonly path: string;
  readonly state: "starting" | "reading" | "ready";
  /** For how long the scope that is worst off could not be read, ms. */
  readonly lagMs: number | null;
  readonly why: string | null;
}

const EVERY_MS = 5000;

/** The feed that the page is of; undefined where the process has one. */
export const ownPlace = feedPlaceOf(SERVER_URL);

/** All of the process that let this reader in; empty where there is one, or the process does not say. */
export const feeds = signal<readonly ListedFeed[]>([]);

/** Keeps them up to date while somebody looks. */
export function watchFeeds(): () => void {
  if (ownPlace === undefined) return () => undefined;
  const url = new URL("v1/feeds", ownPlace.process);
  const stop = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const read = async () => {
    try {
      if (!document.hidden) {
        const answer = await fetch(url, { signal: stop.signal });
        if (answer.ok) feeds.value = ((await answer.json()) as { feeds: ListedFeed[] }).feeds;
      }
    } catch {
      // Whether the process is there is said where the feed is followed.
    }
    if (!stop.signal.aborted) timer = setTimeout(() => void read(), EVERY_MS);
  };
  void read();
  return () => {
    stop.abort();
    clearTimeout(timer);
  };
}

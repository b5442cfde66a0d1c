import { buildChangeEvents, stateRevOf } from "../../src/events/build.ts";
import type { StateWrite } from "../../src/feed/log.ts";
import type { Change } from "../../src/schemas/change.ts";
import type { EventDraft } from "../../src/schemas/draft.ts";
import type { ObjectRef } from "../../src/schemas/resources.ts";
import { contextOf, stubOf } from "./event-fixtures.ts";
import type { TestFeed } from "./http-feed.ts";

export function writeOf(change: Change): StateWrite {
  if (change.op === "delete") return { ref: change.ref, next: null };
  return { ref: change.ref, next: { rev: stateRevOf(change), stub: change.after.bytes } };
}

/**
 * Brings objects to be what they are said to be, with the events that the bridge would make of it: a stub, or null for
 * one that goes.
 */
export class RealChanges {
  readonly #feed: TestFeed;
  readonly #texts = new Map<string, string>();

  constructor(feed: TestFeed) {
    this.#feed = feed;
  }

  /** Commits them together, and answers the cursor behind. */
  async set(...objects: readonly (readonly [ref: ObjectRef, stub: object | null])[]): Promise<string> {
    const changes = objects.map(([ref, stub]) => this.#changeOf(ref, stub));
    const events: EventDraft[] = changes.flatMap((change) => buildChangeEvents(change, contextOf()));
    return this.#feed.write(events, changes.map(writeOf));
  }

  #changeOf(ref: ObjectRef, stub: object | null): Change {
    const name = JSON.stringify(ref);
    const held = this.#texts.get(name);
    if (stub === null) {
      this.#texts.delete(name);
      return { op: "delete", ref, before: stubOf(held ?? "{}") };
    }
    const text = JSON.stringify({ ID: ref.key, ...stub });
    this.#texts.set(name, text);
    if (held === undefined) return { op: "create", ref, after: stubOf(text) };
    return { op: "update", ref, before: stubOf(held), after: stubOf(text) };
  }
}

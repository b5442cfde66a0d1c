import type { BufferItem } from "./event-buffer.ts";
import type { Frame, StreamEvent } from "./event.ts";

export interface SubscriptionRequest {
  /** Topic, or "*", to the keys asked for, "*" for all. */
  readonly topics: ReadonlyMap<string, readonly string[]>;
  /** Fixed when it begins: a namespace made later is not in it. */
  readonly namespaces: ReadonlySet<string>;
  /** Whether the token still may; asked again whenever tokens or policies change. */
  readonly authorised: () => boolean;
  /** Whether the token's time is over; asked before each frame. */
  readonly expired: () => boolean;
}

/** One reader of a server's events. */
export class Subscription {
  readonly #request: SubscriptionRequest;
  #item: BufferItem;
  #endedBy: string | undefined;
  #wake: (() => void) | undefined;

  constructor(request: SubscriptionRequest, start: BufferItem) {
    this.#request = request;
    this.#item = start;
  }

  /** Why it has ended, in Nomad's words. */
  get endedBy(): string | undefined {
    return this.#endedBy;
  }

  /** The next frame with what concerns this reader; undefined once it has ended. */
  async next(): Promise<Frame | undefined> {
    while (this.#endedBy === undefined) {
      const { next, dropped } = this.#item;
      if (next === undefined) await this.#published();
      else if (dropped) this.end("event dropped from buffer");
      else {
        this.#item = next;
        const events = concerning(next.frame.events, this.#request);
        if (this.#request.expired()) this.end("ACL token expired");
        else if (events.length > 0) return { index: next.frame.index, events };
      }
    }
    return undefined;
  }

  /** There is something new. */
  wake(): void {
    this.#wake?.();
  }

  end(reason: string): void {
    this.#endedBy ??= reason;
    this.wake();
  }

  recheck(): void {
    if (!this.#request.authorised()) this.end("subscription closed by server, client should resubscribe");
  }

  async #published(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
    this.#wake = undefined;
  }
}

/** Nomad's filter with its quirks: an event that two keys match comes twice, and "*" beside a key is but a key. */
function concerning(events: readonly StreamEvent[], request: SubscriptionRequest): StreamEvent[] {
  const { topics, namespaces } = request;
  const all = topics.get("*") ?? [];
  return events.flatMap((event) => {
    if (event.namespace !== "" && !namespaces.has(event.namespace)) return [];
    if (all.length === 1 && all[0] === "*") return [event];
    const keys = [...all, ...(topics.get(event.topic) ?? [])];
    if (keys.length === 1 && keys[0] === "*") return [event];
    return keys.filter((key) => matches(event, key)).map(() => event);
  });
}

function matches({ key, filterKeys }: StreamEvent, wanted: string): boolean {
  return key === wanted || (filterKeys?.includes(wanted) ?? false);
}

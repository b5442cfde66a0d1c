import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { objectChange, refOf } from "../support/drafts.ts";
import type { TestFeed } from "../support/http-feed.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

interface BystanderOptions {
  readonly feed: TestFeed;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Who uses the feed while others attack it: a plain subscriber, a plain /healthz, and one who commits as a poller does.
 */
export class Bystanders implements AsyncDisposable {
  readonly #options: BystanderOptions;
  readonly #subscriber: WebSocketClient;
  #rev = 0;

  private constructor(options: BystanderOptions, subscriber: WebSocketClient) {
    this.#options = options;
    this.#subscriber = subscriber;
  }

  static async join(options: BystanderOptions): Promise<Bystanders> {
    const path = "/v1/events?subjects=allocations/default/plain";
    const { url, headers = {} } = options;
    return new Bystanders(options, await WebSocketClient.connect(`${url}${path}`, [], { headers }));
  }

  /**
   * So many times over, a change is committed and comes to the subscriber, who then finds the feed healthy. The 99th
   * percentile of how long that took, in ms.
   */
  async p99Ms(rounds: number): Promise<number> {
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const began = performance.now();
      await this.#round();
      times.push(performance.now() - began);
    }
    return times.toSorted((a, b) => a - b)[Math.ceil(rounds * 0.99) - 1] ?? Number.NaN;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#subscriber.close();
  }

  async #round(): Promise<void> {
    const { feed, url } = this.#options;
    this.#rev += 1;
    const change = objectChange(refOf("allocations", "plain"), String(this.#rev));
    await feed.commitObjects(change);
    const got = await this.#subscriber.until(({ id }) => id === change.event.id);
    assert.equal(got.at(-1)?.id, change.event.id);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
  }
}

/** Does `act` over and over, `atOnce` at a time, until it is disposed of, which aborts what is under way. */
export function repeatedly(act: (signal: AbortSignal) => Promise<unknown>, atOnce: number): AsyncDisposable {
  const over = new AbortController();
  const loop = async () => {
    while (!over.signal.aborted) {
      await act(over.signal).catch((error: unknown) => {
        if (!over.signal.aborted) throw error;
      });
      // Whoever attacks has a process of its own, and does not take turns of this one's event loop.
      await delay(5);
    }
  };
  const loops = Array.from({ length: atOnce }, loop);
  return {
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await Promise.all(loops);
    },
  };
}

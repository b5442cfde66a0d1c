import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { WebSocketClient } from "../support/websocket-client.ts";
import type { WatchingBridge } from "./watching-bridge.ts";

interface BystanderOptions {
  readonly bridge: WatchingBridge;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** 99th percentiles, ms. */
interface Times {
  /** From a change in Nomad to its event in the log. */
  readonly poll: number;
  /** From there to the subscriber and a healthy answer. */
  readonly serve: number;
  /** What this thread worked at most in one go: it takes no longer where other processes have the processors. */
  readonly work: number;
}

/**
 * Who uses the feed while others attack it: a bridge that watches a Nomad, a plain subscriber, and a plain /healthz.
 */
export class Bystanders implements AsyncDisposable {
  readonly #options: BystanderOptions;
  readonly #subscriber: WebSocketClient;

  private constructor(options: BystanderOptions, subscriber: WebSocketClient) {
    this.#options = options;
    this.#subscriber = subscriber;
  }

  static async join(options: BystanderOptions): Promise<Bystanders> {
    const { url, headers = {} } = options;
    const path = "/v1/events?types=jobs";
    return new Bystanders(options, await WebSocketClient.connect(`${url}${path}`, [], { headers }));
  }

  /** So many times over, a job is registered, its event is in the log, comes to the subscriber, and all is healthy. */
  async times(rounds: number): Promise<Times> {
    const all: Times[] = [];
    for (let round = 0; round < rounds; round += 1) all.push(await this.#round());
    const p99 = (of: keyof Times) =>
      all.map((times) => times[of]).toSorted((a, b) => a - b)[Math.ceil(rounds * 0.99) - 1] ?? Number.NaN;
    return { poll: p99("poll"), serve: p99("serve"), work: p99("work") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#subscriber.close();
  }

  async #round(): Promise<Times> {
    const { bridge, url } = this.#options;
    const began = performance.now();
    using turns = new LongestTurn();
    const created = await bridge.changed();
    const polled = performance.now();
    const got = await this.#subscriber.until(({ id }) => id === created);
    assert.equal(got.at(-1)?.id, created);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    return { poll: polled - began, serve: performance.now() - polled, work: turns.workMs };
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

/** How often it is looked: a turn of the event loop that takes longer shows. */
const LOOK_MS = 5;

/** What this thread works in one go. Processor time does not pass while other processes have the machine. */
class LongestTurn implements Disposable {
  readonly #timer = setInterval(() => this.#look(), LOOK_MS);
  #before = process.threadCpuUsage();
  #longestMs = 0;

  get workMs(): number {
    this.#look();
    return this.#longestMs;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { user, system } = process.threadCpuUsage(this.#before);
    this.#before = process.threadCpuUsage();
    this.#longestMs = Math.max(this.#longestMs, (user + system) / 1000);
  }
}

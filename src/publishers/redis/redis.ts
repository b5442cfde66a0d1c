import type { Redis } from "ioredis";
import { createRedis } from "../../feed/redis/client.ts";
import { locationOf, type Location } from "../../feed/redis/location.ts";
import { isReference } from "../../schemas/destinations/fields.ts";
import type { RedisSettings } from "../../schemas/destinations/redis.ts";
import { abortable } from "../../shared/abortable.ts";
import type { Destination, Outgoing, SendResult } from "../delivery/destination.ts";
import type { DestinationDeps } from "../destination-deps.ts";
import { exchangeOf } from "../exchange.ts";
import { ADD_EVENTS, REMEMBERED } from "./add-script.ts";
import { failureOf } from "./failures.ts";

/** Connects at the first `send`. @throws LogUnusable: the address is none, or its file of authorities cannot be read */
export async function openRedis(settings: RedisSettings, deps: DestinationDeps): Promise<Destination> {
  return new RedisDestination(settings, deps);
}

/** Adds events to a stream of another Redis, a batch whole or not at all. An event that is in the stream is not added again. */
class RedisDestination implements Destination {
  readonly target: string;
  readonly #location: Location;
  readonly #redis: Redis;
  readonly #keys: readonly [stream: string, ids: string];
  readonly #maxLen: number;
  /** Why there is no connection. */
  #lastError: Error | undefined;

  constructor({ url, stream, maxLen = 0 }: RedisSettings, { readSecret }: DestinationDeps) {
    const location = locationOf(isReference(url) ? readSecret(url) : url);
    this.#location = location;
    this.target = `${location.where.split("?")[0]} ${stream}`;
    this.#keys = [stream, idsBeside(stream)];
    this.#maxLen = maxLen;
    // When to try again is the engine's to say.
    const options = { maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false };
    this.#redis = createRedis({ ...location, prefix: stream }, options);
    this.#redis.on("error", (error: Error) => (this.#lastError = error));
    this.#redis.on("ready", () => (this.#lastError = undefined));
  }

  async send(batch: readonly Outgoing[], signal: AbortSignal): Promise<SendResult> {
    signal.throwIfAborted();
    const request = batch.map(({ id }) => `XADD ${this.#keys[0]} * id ${id}`);
    try {
      const added = await abortable(this.#add(batch), signal);
      const answer = [`${String(added)} of ${batch.length} added; the others were there`];
      return { outcome: "ok", exchange: exchangeOf(batch, { request, answer }) };
    } catch (error) {
      if (!signal.aborted) {
        const failure = failureOf(error, this.#lastError, this.#location);
        return { ...failure, exchange: exchangeOf(batch, { request, answer: [failure.reason] }) };
      }
      // What waits for a server that says nothing would still be done when it wakes.
      if (this.#redis.status !== "end") this.#redis.disconnect(true);
      throw signal.reason;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#redis.disconnect();
  }

  /** How many were not there. */
  async #add(batch: readonly Outgoing[]): Promise<unknown> {
    const events = batch.flatMap(({ id, type, subject, json }) => [id, type, subject, json]);
    return this.#redis.eval(ADD_EVENTS, 2, ...this.#keys, this.#maxLen, REMEMBERED, ...events);
  }
}

/** In a cluster both keys have to lie in one slot: that of what stands in the first braces, else of the whole key. */
function idsBeside(stream: string): string {
  return /\{[^}]+\}/.test(stream) ? `${stream}:ids` : `{${stream}}:ids`;
}

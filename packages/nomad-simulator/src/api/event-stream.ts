import { once } from "node:events";
import type { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { frameLine, type Frame } from "../events/event.ts";
import type { Subscription } from "../events/subscription.ts";
import type { StreamRule } from "../fault-rules.ts";
import type { ApiContext } from "./context.ts";

const HEARTBEAT = Buffer.from("{}\n");
const STALL_MS = 200;

export interface StreamParts {
  readonly context: ApiContext;
  readonly subscription: Subscription;
  /** The fault of the next frame, if any. */
  readonly drawFault: () => StreamRule | undefined;
  /** stream-denied: the next subscription is denied. */
  readonly denyNext: () => void;
}

/** Where a stream's bytes go: the socket itself, or a response's chunks. */
export type StreamSink = Writable;

/**
 * Writes frames and heartbeats until the subscription ends or the client is gone. A frame waits until the one before
 * it has been taken, so that a slow client's subscription falls behind and is dropped, as Nomad's is.
 */
export class EventStream {
  readonly #parts: StreamParts;
  readonly #sink: StreamSink;
  #held: Buffer | undefined;
  #stalled = false;

  constructor(parts: StreamParts, sink: StreamSink) {
    this.#parts = parts;
    this.#sink = sink;
  }

  async run(): Promise<void> {
    const { context, subscription } = this.#parts;
    const heart = setInterval(() => this.#stalled || this.#sink.write(HEARTBEAT), context.heartbeatMs);
    const leave = (): void => subscription.end("client gone");
    this.#sink.once("close", leave);
    context.signal.addEventListener("abort", leave, { once: true });
    try {
      await this.#write(HEARTBEAT);
      for (let frame = await subscription.next(); frame !== undefined; frame = await subscription.next())
        await this.#send(frame);
    } finally {
      clearInterval(heart);
      context.signal.removeEventListener("abort", leave);
    }
  }

  async #send(frame: Frame): Promise<void> {
    const { context, subscription, drawFault } = this.#parts;
    const fault = drawFault();
    const line = frameLine(frame, context.random);
    if (fault !== undefined) return await this.#sendWith(fault, line);
    const held = this.#held;
    this.#held = undefined;
    await this.#write(line);
    if (held !== undefined && subscription.endedBy === undefined) await this.#write(held);
  }

  async #sendWith(fault: StreamRule, line: Buffer): Promise<void> {
    switch (fault.kind) {
      case "frame-lost":
        return;
      case "frame-twice":
        await this.#write(line);
        return await this.#write(line);
      case "frames-swapped":
        return await this.#swap(line);
      case "stream-stalled":
        return await this.#stall(line, fault.delayMs ?? STALL_MS);
      case "buffer-emptied":
        this.#parts.context.raft.events.reset();
        return;
      case "stream-denied":
        this.#parts.denyNext();
        return this.#parts.subscription.end("denied");
      case "stream-closed":
        return this.#parts.subscription.end("closed");
      default:
        return fault.kind satisfies never;
    }
  }

  /** Holds the line back, or sends it before the one that is held back already. */
  async #swap(line: Buffer): Promise<void> {
    const held = this.#held;
    this.#held = held === undefined ? line : undefined;
    if (held !== undefined) await this.#write(Buffer.concat([line, held]));
  }

  async #stall(line: Buffer, forMs: number): Promise<void> {
    this.#stalled = true;
    await delay(forMs, undefined, { signal: this.#parts.context.signal }).catch(() => undefined);
    this.#stalled = false;
    await this.#write(line);
  }

  async #write(line: Buffer): Promise<void> {
    if (this.#sink.destroyed || this.#sink.write(line)) return;
    const gone = new AbortController();
    const options = { signal: gone.signal };
    await Promise.race([once(this.#sink, "drain", options), once(this.#sink, "close", options)]).catch(
      () => undefined,
    );
    gone.abort();
  }
}

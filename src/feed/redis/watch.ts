import type { Clock } from "../../shared/clock.ts";
import type { Waiters } from "../waiters.ts";
import type { Connection } from "./connection.ts";
import { Reply } from "./reply.ts";

/** How long Redis may hold one question; the connection takes a longer silence for its death. */
const BLOCK_MS = 5000;
const AFTER_FAILURE_MS = 250;

/**
 * Tells waiters of events that other processes write: while anybody waits, a connection of its own holds a blocking
 * XREAD, always after a sequence that is named.
 */
export class Watch {
  readonly #connect: () => Promise<Connection>;
  readonly #prefix: string;
  readonly #waiters: Waiters;
  readonly #clock: Pick<Clock, "sleep">;
  #connection: Connection | undefined;
  #watching = false;
  #closed = false;

  constructor(
    connect: () => Promise<Connection>,
    prefix: string,
    { waiters, clock }: { waiters: Waiters; clock: Pick<Clock, "sleep"> },
  ) {
    this.#connect = connect;
    this.#prefix = prefix;
    this.#waiters = waiters;
    this.#clock = clock;
  }

  /** Watches until nobody waits any more. `sequence` is the newest event that is known. */
  watch(sequence: number): void {
    if (this.#watching || this.#closed || this.#waiters.size === 0) return;
    this.#watching = true;
    void this.#run(sequence);
  }

  close(): void {
    this.#closed = true;
    this.#connection?.close();
  }

  async #run(from: number): Promise<void> {
    let sequence = from;
    while (this.#waiters.size > 0 && !this.#closed) {
      try {
        sequence = await this.#newest(sequence);
        this.#waiters.wake(sequence);
      } catch {
        await this.#clock.sleep(AFTER_FAILURE_MS);
        // Their own next call meets the same error and tells them.
        this.#waiters.end();
      }
    }
    this.#watching = false;
  }

  /** The newest sequence, once it is beyond `sequence` or the question has been held long enough. */
  async #newest(sequence: number): Promise<number> {
    this.#connection ??= await this.#connect();
    if (this.#closed) this.#connection.close();
    const after = `${sequence}-18446744073709551615`;
    await this.#connection.call(
      "XREAD",
      "COUNT",
      1,
      "BLOCK",
      BLOCK_MS,
      "STREAMS",
      `${this.#prefix}log`,
      after,
    );
    const meta = `${this.#prefix}meta`;
    const reply = await this.#connection.call("HMGET", meta, "sequence");
    return new Reply(reply, this.#connection.source(meta)).integerOrNull(0, "sequence") ?? 0;
  }
}

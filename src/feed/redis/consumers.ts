import type { Cursor } from "../../schemas/cursor.ts";
import type { Consumer, ConsumerStore } from "../log.ts";
import { timeText } from "./codec.ts";
import type { Connection } from "./connection.ts";
import { PUT_CONSUMER, REMOVE_CONSUMER } from "./scripts.ts";

const FIELDS = ["epoch", "sequence", "updatedAt", "lastError"] as const;

export class RedisConsumers implements ConsumerStore {
  readonly #connection: Connection;
  readonly #prefix: string;
  readonly #writing: () => Connection;
  readonly #clock: () => number;

  /** `writing` answers the connection, or throws where the log is open for reading only. */
  constructor(connection: Connection, prefix: string, writing: () => Connection, clock: () => number) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#writing = writing;
    this.#clock = clock;
  }

  async get(name: string): Promise<Consumer | undefined> {
    return consumerOf(name, await this.#connection.call("HMGET", this.#keyOf(name), ...FIELDS));
  }

  async list(): Promise<Consumer[]> {
    const names = (await this.#connection.call("SMEMBERS", `${this.#prefix}consumers`)) as string[];
    const ordered = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const replies = await this.#connection.each(
      ordered.map((name) => ["HMGET", this.#keyOf(name), ...FIELDS] as const),
    );
    return ordered.flatMap((name, n) => consumerOf(name, replies[n]) ?? []);
  }

  async put(
    name: string,
    cursor: Cursor,
    options: { lastError?: string; rewind?: boolean } = {},
  ): Promise<Consumer> {
    const { lastError = "", rewind = false } = options;
    const reply = await this.#writing().run(PUT_CONSUMER, [
      name,
      cursor.epoch,
      cursor.sequence,
      timeText(this.#clock()),
      lastError,
      rewind ? "rewind" : "",
    ]);
    return consumerOf(name, reply) as Consumer;
  }

  async remove(name: string): Promise<boolean> {
    return (await this.#writing().run(REMOVE_CONSUMER, [name])) === 1;
  }

  #keyOf(name: string): string {
    return `${this.#prefix}consumer:${name}`;
  }
}

function consumerOf(name: string, reply: unknown): Consumer | undefined {
  const [epoch, sequence, updatedAt, lastError] = reply as (string | null)[];
  if (!epoch || !updatedAt) return undefined;
  return { name, cursor: { epoch, sequence: Number(sequence) }, updatedAt, lastError: lastError || null };
}

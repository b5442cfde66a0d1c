import type { Cursor } from "../../schemas/cursor.ts";
import { ConsumersFull, ConsumerTaken } from "../errors.ts";
import { FOR_ALL, type Consumer, type ConsumerStore, type PutOptions } from "../log.ts";
import { timeText } from "./codec.ts";
import type { Connection } from "./connection.ts";
import { PUT_CONSUMER, REMOVE_CONSUMER } from "./scripts.ts";

const FIELDS = ["epoch", "sequence", "updatedAt", "lastError", "owner"] as const;

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

  async put(name: string, cursor: Cursor, options: PutOptions = {}): Promise<Consumer> {
    const { lastError = "", rewind = false, by = FOR_ALL, limits = {} } = options;
    const reply = await this.#writing().run(PUT_CONSUMER, [
      name,
      cursor.epoch,
      cursor.sequence,
      timeText(this.#clock()),
      lastError,
      rewind ? "rewind" : "",
      by.owner ?? "",
      by.manages ? "manages" : "",
      limits.ofOwner ?? "",
      limits.total ?? "",
    ]);
    const [refusal, limit, whose] = reply as string[];
    if (refusal === "taken") throw new ConsumerTaken(name);
    if (refusal === "full") throw new ConsumersFull(Number(limit), whose === "owner" ? "owner" : "all");
    return consumerOf(name, (reply as unknown[]).slice(1)) as Consumer;
  }

  async remove(name: string, by = FOR_ALL): Promise<boolean> {
    const asked = [name, by.owner ?? "", by.manages ? "manages" : ""];
    const reply = await this.#writing().run(REMOVE_CONSUMER, asked);
    if (reply === "taken") throw new ConsumerTaken(name);
    return reply === 1;
  }

  #keyOf(name: string): string {
    return `${this.#prefix}consumer:${name}`;
  }
}

function consumerOf(name: string, reply: unknown): Consumer | undefined {
  const [epoch, sequence, updatedAt, lastError, owner] = reply as (string | null)[];
  if (!epoch || !updatedAt) return undefined;
  const cursor = { epoch, sequence: Number(sequence) };
  return { name, cursor, updatedAt, lastError: lastError || null, owner: owner || null };
}

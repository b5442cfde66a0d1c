import type { Cursor } from "../../schemas/cursor.ts";
import type { Clock } from "../../shared/clock.ts";
import { compareBytes } from "../../shared/compare-bytes.ts";
import { ConsumersFull, ConsumerTaken } from "../errors.ts";
import { FOR_ALL, type Consumer, type ConsumerStore, type PutOptions } from "../log.ts";
import { timeText } from "./codec.ts";
import type { Connection } from "./connection.ts";
import { Reply, wrong } from "./reply.ts";
import { PUT_CONSUMER, REMOVE_CONSUMER } from "./scripts.ts";

const FIELDS = ["epoch", "sequence", "updatedAt", "lastError", "owner"] as const;

export class RedisConsumers implements ConsumerStore {
  readonly #connection: Connection;
  readonly #prefix: string;
  readonly #writing: () => Connection;
  readonly #clock: Pick<Clock, "now">;

  /** `writing` answers the connection, or throws where the log is open for reading only. */
  constructor(connection: Connection, prefix: string, writing: () => Connection, clock: Pick<Clock, "now">) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#writing = writing;
    this.#clock = clock;
  }

  async get(name: string): Promise<Consumer | undefined> {
    return this.#consumerOf(name, await this.#connection.call("HMGET", this.#keyOf(name), ...FIELDS));
  }

  async list(): Promise<Consumer[]> {
    const key = `${this.#prefix}consumers`;
    const names = new Reply(await this.#connection.call("SMEMBERS", key), this.#connection.source(key));
    const ordered = names.texts().toSorted(compareBytes);
    const replies = await this.#connection.each(
      ordered.map((name) => ["HMGET", this.#keyOf(name), ...FIELDS] as const),
    );
    return ordered.flatMap((name, n) => this.#consumerOf(name, replies[n]) ?? []);
  }

  async put(name: string, cursor: Cursor, options: PutOptions = {}): Promise<Consumer> {
    const { lastError = "", rewind = false, by = FOR_ALL, limits = {} } = options;
    const answer = await this.#writing().run(PUT_CONSUMER, [
      name,
      cursor.epoch,
      cursor.sequence,
      timeText(this.#clock.now()),
      lastError,
      rewind ? "rewind" : "",
      by.owner ?? "",
      by.manages ? "manages" : "",
      limits.ofOwner ?? "",
      limits.total ?? "",
    ]);
    const source = this.#connection.source("the answer to PUT_CONSUMER");
    const reply = new Reply(answer, source);
    const refusal = reply.text(0, "refusal");
    if (refusal === "taken") throw new ConsumerTaken(name);
    if (refusal === "full")
      throw new ConsumersFull(
        reply.integer(1, "limit"),
        reply.text(2, "whose") === "owner" ? "owner" : "all",
      );
    const consumer = this.#consumerOf(name, reply.parts.slice(1));
    if (consumer === undefined) throw wrong(source, "the consumer", "what was put", answer);
    return consumer;
  }

  async remove(name: string, by = FOR_ALL): Promise<boolean> {
    const asked = [name, by.owner ?? "", by.manages ? "manages" : ""];
    const reply = await this.#writing().run(REMOVE_CONSUMER, asked);
    if (reply === "taken") throw new ConsumerTaken(name);
    return reply === 1;
  }

  /** Undefined where there is none. */
  #consumerOf(name: string, reply: unknown): Consumer | undefined {
    const fields = new Reply(reply, this.#connection.source(this.#keyOf(name)));
    const epoch = fields.textOrNull(0, "epoch");
    const updatedAt = fields.textOrNull(2, "updatedAt");
    if (!epoch || !updatedAt) return undefined;
    const cursor = { epoch, sequence: fields.integer(1, "sequence") };
    const lastError = fields.textOrNull(3, "lastError") || null;
    return { name, cursor, updatedAt, lastError, owner: fields.textOrNull(4, "owner") || null };
  }

  #keyOf(name: string): string {
    return `${this.#prefix}consumer:${name}`;
  }
}

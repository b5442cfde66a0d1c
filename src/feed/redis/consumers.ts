import type { Cursor } from "../../schemas/cursor.ts";
import type { Clock } from "../../shared/clock.ts";
import { ConsumersFull, ConsumerTaken } from "../errors.ts";
import { FOR_ALL, type Consumer, type ConsumerStore, type PutOptions } from "../log.ts";
import { timeText } from "./codec.ts";
import type { Connection } from "./connection.ts";
import { NamedHashes } from "./named-hashes.ts";
import { Reply, wrong } from "./reply.ts";
import { PUT_CONSUMER, REMOVE_CONSUMER } from "./scripts.ts";

const FIELDS = ["epoch", "sequence", "updatedAt", "lastError", "owner"] as const;

export class RedisConsumers implements ConsumerStore {
  readonly #connection: Connection;
  readonly #hashes: NamedHashes;
  readonly #writing: () => Connection;
  readonly #clock: Pick<Clock, "now">;

  /** `writing` answers the connection, or throws where the log is open for reading only. */
  constructor(connection: Connection, prefix: string, writing: () => Connection, clock: Pick<Clock, "now">) {
    this.#connection = connection;
    this.#hashes = new NamedHashes(connection, prefix, {
      names: "consumers",
      each: "consumer:",
      fields: FIELDS,
    });
    this.#writing = writing;
    this.#clock = clock;
  }

  async get(name: string): Promise<Consumer | undefined> {
    return consumerOf(name, await this.#hashes.get(name));
  }

  async list(): Promise<Consumer[]> {
    const found = await this.#hashes.list();
    return found.flatMap(([name, fields]) => consumerOf(name, fields) ?? []);
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
    const consumer = consumerOf(name, this.#hashes.replyOf(name, reply.parts.slice(1)));
    if (consumer === undefined) throw wrong(source, "the consumer", "what was put", answer);
    return consumer;
  }

  async remove(name: string, by = FOR_ALL): Promise<boolean> {
    const asked = [name, by.owner ?? "", by.manages ? "manages" : ""];
    const reply = await this.#writing().run(REMOVE_CONSUMER, asked);
    if (reply === "taken") throw new ConsumerTaken(name);
    return reply === 1;
  }
}

/** Undefined where there is none. */
function consumerOf(name: string, fields: Reply): Consumer | undefined {
  const epoch = fields.textOrNull(0, "epoch");
  const updatedAt = fields.textOrNull(2, "updatedAt");
  if (!epoch || !updatedAt) return undefined;
  const cursor = { epoch, sequence: fields.integer(1, "sequence") };
  const lastError = fields.textOrNull(3, "lastError") || null;
  return { name, cursor, updatedAt, lastError, owner: fields.textOrNull(4, "owner") || null };
}

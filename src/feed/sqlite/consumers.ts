import type { Cursor } from "../../schemas/cursor.ts";
import type { Clock } from "../../shared/clock.ts";
import { ConsumersFull, ConsumerTaken } from "../errors.ts";
import { FOR_ALL, type Consumer, type ConsumerActor, type ConsumerStore, type PutOptions } from "../log.ts";
import type { Connection } from "./connection.ts";
import { consumerOf, readMeta } from "./rows.ts";
import { recordedText } from "./trim.ts";

export class SqliteConsumers implements ConsumerStore {
  readonly #connection: Connection;
  readonly #writing: () => Connection;
  readonly #clock: Pick<Clock, "now">;

  /** `writing` answers the connection, or throws where the log is open for reading only. */
  constructor(connection: Connection, writing: () => Connection, clock: Pick<Clock, "now">) {
    this.#connection = connection;
    this.#writing = writing;
    this.#clock = clock;
  }

  async get(name: string): Promise<Consumer | undefined> {
    return this.#find(name);
  }

  async list(): Promise<Consumer[]> {
    return this.#connection.all("SELECT * FROM consumers ORDER BY name").map(consumerOf);
  }

  async put(name: string, cursor: Cursor, options: PutOptions = {}): Promise<Consumer> {
    const connection = this.#writing();
    return connection.transaction(() => {
      const { by = FOR_ALL, limits = {}, rewind = false, lastError = null } = options;
      const stored = this.#find(name);
      if (stored === undefined) this.#assertRoom(by, limits);
      const owner = ownerAfter(name, stored, by);
      const moves = stored === undefined || rewind || this.#isAhead(cursor, stored.cursor);
      const changes = moves || stored.lastError !== lastError;
      const consumer: Consumer = {
        name,
        cursor: moves ? cursor : stored.cursor,
        updatedAt: changes ? recordedText(this.#clock.now()) : stored.updatedAt,
        lastError,
        owner,
      };
      if (!changes && stored.owner === owner) return consumer;
      connection.run(
        "INSERT OR REPLACE INTO consumers (name, epoch, sequence, updated_at, last_error, owner) VALUES (?, ?, ?, ?, ?, ?)",
        [name, consumer.cursor.epoch, consumer.cursor.sequence, consumer.updatedAt, lastError, owner],
      );
      return consumer;
    });
  }

  async remove(name: string, by = FOR_ALL): Promise<boolean> {
    const connection = this.#writing();
    return connection.transaction(() => {
      const stored = this.#find(name);
      if (stored !== undefined && !by.manages && stored.owner !== by.owner) throw new ConsumerTaken(name);
      connection.run("DELETE FROM dead_letters WHERE consumer = ?", [name]);
      return connection.run("DELETE FROM consumers WHERE name = ?", [name]) === 1;
    });
  }

  #assertRoom({ owner }: ConsumerActor, { ofOwner, total }: NonNullable<PutOptions["limits"]>): void {
    const count = (condition: string, values: string[]) =>
      this.#connection
        .get(`SELECT count(*) AS count FROM consumers ${condition}`, values)
        ?.integer("count") ?? 0;
    if (total !== undefined && count("", []) >= total) throw new ConsumersFull(total, "all");
    if (owner === null || ofOwner === undefined) return;
    if (count("WHERE owner = ?", [owner]) >= ofOwner) throw new ConsumersFull(ofOwner, "owner");
  }

  #find(name: string): Consumer | undefined {
    const row = this.#connection.get("SELECT * FROM consumers WHERE name = ?", [name]);
    return row === undefined ? undefined : consumerOf(row);
  }

  /** Sequences of different epochs do not compare: the feed's present epoch is ahead of any other. */
  #isAhead(cursor: Cursor, stored: Cursor): boolean {
    if (cursor.epoch === stored.epoch) return cursor.sequence > stored.sequence;
    return cursor.epoch === readMeta(this.#connection).epoch;
  }
}

/** Whose it is once they have used it. */
function ownerAfter(name: string, stored: Consumer | undefined, by: ConsumerActor): string | null {
  if (stored === undefined) return by.owner;
  if (by.manages) return stored.owner;
  if (stored.owner !== null && stored.owner !== by.owner) throw new ConsumerTaken(name);
  return by.owner;
}

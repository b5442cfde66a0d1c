import type { Cursor } from "../../schemas/cursor.ts";
import type { Consumer, ConsumerStore } from "../log.ts";
import type { Connection } from "./connection.ts";
import { consumerOf, readMeta } from "./rows.ts";
import { recordedText } from "./trim.ts";

export class SqliteConsumers implements ConsumerStore {
  readonly #connection: Connection;
  readonly #writing: () => Connection;
  readonly #clock: () => number;

  /** `writing` answers the connection, or throws where the log is open for reading only. */
  constructor(connection: Connection, writing: () => Connection, clock: () => number) {
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

  async put(
    name: string,
    cursor: Cursor,
    options: { lastError?: string; rewind?: boolean } = {},
  ): Promise<Consumer> {
    const connection = this.#writing();
    return connection.transaction(() => {
      const stored = this.#find(name);
      const moves = stored === undefined || options.rewind === true || this.#isAhead(cursor, stored.cursor);
      const consumer: Consumer = {
        name,
        cursor: moves ? cursor : stored.cursor,
        updatedAt: recordedText(this.#clock()),
        lastError: options.lastError ?? null,
      };
      connection.run(
        "INSERT OR REPLACE INTO consumers (name, epoch, sequence, updated_at, last_error) VALUES (?, ?, ?, ?, ?)",
        [name, consumer.cursor.epoch, consumer.cursor.sequence, consumer.updatedAt, consumer.lastError],
      );
      return consumer;
    });
  }

  async remove(name: string): Promise<boolean> {
    const connection = this.#writing();
    return connection.transaction(() => {
      connection.run("DELETE FROM dead_letters WHERE consumer = ?", [name]);
      return connection.run("DELETE FROM consumers WHERE name = ?", [name]) === 1;
    });
  }

  #find(name: string): Consumer | undefined {
    const row = this.#connection.get("SELECT * FROM consumers WHERE name = ?", [name]);
    return row === undefined ? undefined : consumerOf(row);
  }

  /** Sequences of different epochs do not compare: the feed's present epoch is ahead of any other. */
  #isAhead(cursor: Cursor, stored: Cursor): boolean {
    if (cursor.epoch === stored.epoch) return cursor.sequence >= stored.sequence;
    return cursor.epoch === readMeta(this.#connection).epoch;
  }
}

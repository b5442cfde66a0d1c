import type { Cursor } from "../../schemas/cursor.ts";
import type { Clock } from "../../shared/clock.ts";
import { DeadLettersFull } from "../errors.ts";
import type { DeadLetter, DeadLetterStore, Parked } from "../log.ts";
import type { Connection } from "./connection.ts";
import { deadLetterOf, formatOf } from "./rows.ts";
import { recordedText } from "./trim.ts";

/** The format that brought the table. */
const SINCE_FORMAT = 2;

export class SqliteDeadLetters implements DeadLetterStore {
  readonly #reading: () => Connection;
  readonly #writing: () => Connection;
  readonly #clock: Pick<Clock, "now">;
  readonly #most: number;

  /** `reading` and `writing` answer the connection, or throw where it cannot be used so; `most`: of one consumer. */
  constructor(
    reading: () => Connection,
    writing: () => Connection,
    { clock, most }: { clock: Pick<Clock, "now">; most: number },
  ) {
    this.#reading = reading;
    this.#writing = writing;
    this.#clock = clock;
    this.#most = most;
  }

  async put(consumer: string, letter: Parked): Promise<DeadLetter> {
    const connection = this.#writing();
    return connection.transaction(() => {
      const { cursor, id, json, reason, attempts } = letter;
      const kept = connection.get(
        "SELECT * FROM dead_letters WHERE consumer = ? AND sequence = ? AND epoch = ?",
        [consumer, cursor.sequence, cursor.epoch],
      );
      if (kept !== undefined) return deadLetterOf(kept);
      if (countOf(connection, consumer) >= this.#most) throw new DeadLettersFull(consumer, this.#most);
      const parkedAt = recordedText(this.#clock.now());
      connection.run(
        `INSERT INTO dead_letters (consumer, sequence, epoch, id, reason, attempts, parked_at, data)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        [consumer, cursor.sequence, cursor.epoch, id, reason, attempts, parkedAt, json],
      );
      return { ...letter, parkedAt };
    });
  }

  async list(
    consumer: string,
    { after = { epoch: "", sequence: -1 }, limit }: { after?: Cursor; limit: number },
  ): Promise<DeadLetter[]> {
    const connection = this.#reading();
    if (formatOf(connection) < SINCE_FORMAT) return [];
    return connection
      .all(
        `SELECT * FROM dead_letters WHERE consumer = ? AND (sequence, epoch) > (?, ?)
         ORDER BY sequence, epoch LIMIT ?`,
        [consumer, after.sequence, after.epoch, Math.max(0, limit)],
      )
      .map(deadLetterOf);
  }

  async remove(consumer: string, cursors: readonly Cursor[]): Promise<number> {
    const connection = this.#writing();
    return connection.transaction(() =>
      cursors
        .map(({ sequence, epoch }) =>
          connection.run("DELETE FROM dead_letters WHERE consumer = ? AND sequence = ? AND epoch = ?", [
            consumer,
            sequence,
            epoch,
          ]),
        )
        .reduce((sum, removed) => sum + removed, 0),
    );
  }

  async count(consumer: string): Promise<number> {
    const connection = this.#reading();
    return formatOf(connection) < SINCE_FORMAT ? 0 : countOf(connection, consumer);
  }
}

function countOf(connection: Connection, consumer: string): number {
  const row = connection.get("SELECT count(*) AS count FROM dead_letters WHERE consumer = ?", [consumer]);
  return row?.integer("count") ?? 0;
}

import { EpochChanged } from "../../feed/errors.ts";
import type { ConsumerStore } from "../../feed/log.ts";
import { formatCursor, parseCursor, type Cursor } from "../../schemas/cursor.ts";
import type { Clock } from "../../shared/clock.ts";
import { InvalidAck } from "./errors.ts";

/** Between two writes of a connection, for which a log's disk may be waited. */
const REST_MS = 20;

/**
 * The acks of one connection of a consumer. While one is being stored, the newest that comes waits and the others
 * between are forgotten: an ack speaks for all events before it.
 */
export class ConsumerAcks {
  readonly #store: Pick<ConsumerStore, "put">;
  readonly #name: string;
  readonly #clock: Clock;
  #reached: Cursor | undefined;
  #newest: Cursor | undefined;
  #isStoring = false;

  constructor(store: Pick<ConsumerStore, "put">, name: string, clock: Clock) {
    this.#store = store;
    this.#name = name;
    this.#clock = clock;
  }

  /** Everything up to there was sent. */
  reached(cursor: Cursor): void {
    this.#reached = cursor;
  }

  /**
   * Resolves when this ack, or a newer one that took its place, is stored or handed to whoever is storing.
   * @throws InvalidAck, EpochChanged, LogUnavailable
   */
  async ack(text: string): Promise<void> {
    const cursor = this.#checked(text);
    if (this.#newest === undefined || cursor.sequence > this.#newest.sequence) this.#newest = cursor;
    if (this.#isStoring) return;
    this.#isStoring = true;
    try {
      for (let next = this.#take(); next !== undefined; next = this.#take()) {
        await this.#store.put(this.#name, next);
        await this.#clock.sleep(REST_MS);
      }
    } finally {
      this.#isStoring = false;
    }
  }

  #take(): Cursor | undefined {
    const cursor = this.#newest;
    this.#newest = undefined;
    return cursor;
  }

  #checked(text: string): Cursor {
    const cursor = parseCursor(text);
    const reached = this.#reached;
    if (cursor === undefined) {
      throw new InvalidAck("The ack does not hold a cursor", {
        hint: "Ack the cursor of an event or a bookmark",
      });
    }
    if (reached === undefined) {
      throw new InvalidAck("Nothing can be acknowledged before the snapshot has ended", {
        hint: "Wait for the snapshot frame with the phase end",
      });
    }
    if (cursor.epoch !== reached.epoch) throw new EpochChanged(cursor, reached);
    if (cursor.sequence > reached.sequence) {
      throw new InvalidAck(
        `Cursor ${formatCursor(cursor)} was not sent here; the newest is ${formatCursor(reached)}`,
        {
          hint: "Ack the cursor of an event or a bookmark that you have dealt with",
        },
      );
    }
    return cursor;
  }
}

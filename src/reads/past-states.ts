import { EpochChanged } from "../feed/errors.ts";
import type { ConsistentRead, FeedLog } from "../feed/log.ts";
import type { Moment } from "../schemas/read-queries.ts";
import { Baselines } from "./baselines.ts";
import { cursorOfMoment } from "./moment.ts";
import { PastRead } from "./past-read.ts";

interface PastStatesOptions {
  /** Takes out what must not leave: of whole objects, so that what is redacted can be undone, too. */
  readonly publish?: (read: ConsistentRead) => ConsistentRead;
  /** Names of changed objects that a read holds, as long as they are of several parts. */
  readonly maxKeys?: number;
}

/** The objects of the feed as they were at earlier moments, as far back as its log reaches. */
export class PastStates {
  readonly #log: FeedLog;
  readonly #options: PastStatesOptions;
  readonly #baselines: Baselines;

  constructor(log: FeedLog, options: PastStatesOptions = {}) {
    this.#log = log;
    this.#options = options;
    this.#baselines = new Baselines(log);
  }

  /**
   * As `FeedLog.consistentRead`, of a moment that has passed. Dispose it when done.
   * @throws StateExpired, EpochChanged, FutureCursor; InvalidParameter for a time that has not come
   */
  async at(moment: Moment): Promise<ConsistentRead> {
    const cursor = await cursorOfMoment(this.#log, moment);
    const present = await this.#log.consistentRead();
    if (present.cursor.epoch !== cursor.epoch) {
      await present[Symbol.asyncDispose]();
      throw new EpochChanged(cursor, present.cursor);
    }
    const { publish, ...limits } = this.#options;
    const read = new PastRead({ log: this.#log, baselines: this.#baselines, present, cursor, ...limits });
    return publish?.(read) ?? read;
  }
}

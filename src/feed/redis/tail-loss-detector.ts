import type { EventDraft } from "../../schemas/draft.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { randomEpoch } from "../epoch.ts";
import type { FeedHead } from "../log.ts";
import { appendArguments, NOTHING_SEEN, seenArguments, type Seen } from "./commit.ts";
import { RENEW } from "./commit-script.ts";
import type { Connection } from "./connection.ts";
import { feedIsGone } from "./errors.ts";
import { Reply } from "./reply.ts";
import { CHECK } from "./log-scripts.ts";

/** Drafts the event that says that an epoch began; `at` is RFC 3339. */
export type DraftEpochEvent = (facts: {
  readonly previous: string | null;
  readonly current: string;
  readonly reason: string;
  readonly at: string;
}) => EventDraft;

export interface TailLossDetectorOptions {
  readonly source: string;
  readonly streamPerResource: boolean;
  readonly draftEpochEvent: DraftEpochEvent;
  readonly clock: Clock;
  /** When it is recorded; "" for Redis's own clock. */
  readonly recordedAt: () => number | "";
  readonly logger: Logger;
}

const LOST = "Redis lost the newest events: it restarted or failed over without them";
const GONE = "the feed's keys are gone: they were deleted, or Redis restarted without its data";
const UNVERIFIED =
  "Redis restarted or failed over while no writer was there to see whether it lost the newest events";

/** How long others, who may have seen the log before Redis restarted, are waited for. */
const OTHERS_MS = 4000;
const OTHERS_EVERY_MS = 500;

/**
 * Remembers the newest event a writer knows, and notices by it when Redis has lost the end of the log: a restart or
 * failover takes log, state and checkpoints back together, and what is written next would get sequences that readers
 * know by other events. Then the feed gets a new epoch, said by its first event.
 */
export class TailLossDetector {
  readonly #connection: Connection;
  readonly #options: TailLossDetectorOptions;
  #seen = NOTHING_SEEN;

  constructor(connection: Connection, options: TailLossDetectorOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  get seen(): Seen {
    return this.#seen;
  }

  /** Takes note of an event that is known to be in the log. */
  remember(seen: Seen): void {
    if (seen.epoch !== this.#seen.epoch || seen.sequence > this.#seen.sequence) this.#seen = seen;
  }

  /** Where the feed is; under a new epoch where the old one has just been found ended. */
  async check(): Promise<FeedHead> {
    const { clock } = this.#options;
    const giveUpAtMs = clock.elapsed() + OTHERS_MS;
    for (;;) {
      const answer = await this.#connection.run(CHECK, seenArguments(this.#seen));
      const reply = new Reply(answer, this.#connection.source("the answer to CHECK"));
      const finding = reply.text(0, "finding");
      const epoch = reply.text(1, "epoch");
      if (finding === "lost") await this.#renew(epoch === "" ? GONE : LOST, epoch);
      else if (finding !== "unverified") {
        if (epoch === "") throw feedIsGone(this.#connection.where);
        const head = {
          epoch,
          sequence: reply.integer(2, "sequence"),
          floor: reply.integer(3, "floor"),
          nomadEpoch: reply.integerOrNull(4, "nomadEpoch") ?? 0,
        };
        this.remember({ epoch, sequence: head.sequence, stamp: reply.textOrNull(5, "stamp") ?? "" });
        return head;
      } else if (clock.elapsed() < giveUpAtMs) await clock.sleep(OTHERS_EVERY_MS);
      else await this.#renew(UNVERIFIED, epoch);
    }
  }

  /** Ends the epoch `ended` ("": there is no feed any more), unless somebody else has. */
  async #renew(reason: string, ended: string): Promise<void> {
    const { source, streamPerResource, draftEpochEvent, clock, recordedAt, logger } = this.#options;
    const current = randomEpoch();
    const previous = ended || this.#seen.epoch || null;
    const event = draftEpochEvent({ previous, current, reason, at: new Date(clock.now()).toISOString() });
    const how = [source, ended, current, recordedAt(), streamPerResource ? "1" : ""];
    const answer = await this.#connection.run(RENEW, [
      ...how,
      ...seenArguments(this.#seen),
      ...appendArguments([event]),
    ]);
    const reply = new Reply(answer, this.#connection.source("the answer to RENEW"));
    const lastKnown = this.#seen.sequence;
    this.#seen = NOTHING_SEEN;
    if (reply.length === 0) return;
    const epoch = reply.text(0, "epoch");
    this.#seen = {
      epoch,
      sequence: reply.integer(1, "sequence"),
      stamp: reply.textOrNull(2, "stamp") ?? "",
    };
    logger.error(
      { redis: this.#connection.where, epoch, previous, lastKnown },
      `the feed has a new epoch: ${reason}. What was lost is derived from Nomad again; cursors of the old epoch are no longer valid`,
    );
  }
}

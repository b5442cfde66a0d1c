import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { FeedLog, TrimLimits } from "./log.ts";

/** A reader of the log whom retention waits for. */
export interface AwaitedReader {
  readonly name: string;
  /** The sequence through which it has all, 0: nothing yet; undefined where there is no such reader any more. */
  through(): Promise<number | undefined>;
}

/** What is too much, and how much retention never goes beyond. */
export interface TrimBounds {
  readonly limits: TrimLimits;
  readonly bound: TrimLimits;
}

export type WaitingLog = Pick<FeedLog, "trim" | "head" | "bytes" | "times">;
type Trimmed = Awaited<ReturnType<FeedLog["trim"]>>;

interface WaitDeps {
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "retentionWaiting" | "retentionOvertaken">;
  readonly signal: AbortSignal;
}

type Wait = "none" | "waiting" | "overtaken" | "nobody";

/**
 * Trims the log, but for what one reader has not got yet: that stays until the log is at its bound, and then goes like
 * the rest. Says when it begins to wait, when it goes on regardless, and when that is over.
 */
export class RetentionWait {
  readonly #reader: AwaitedReader;
  readonly #deps: WaitDeps;
  #wait: Wait = "none";

  constructor(reader: AwaitedReader, deps: WaitDeps) {
    this.#reader = reader;
    this.#deps = deps;
  }

  async trim(log: WaitingLog, { limits, bound }: TrimBounds): Promise<Trimmed> {
    const { signal } = this.#deps;
    const through = await this.#reader.through();
    if (through === undefined) return this.#trimForNobody(log, limits);
    const had = await log.trim({ ...limits, keepAfter: through }, { signal });
    const { floor, removed } = await log.trim(bound, { signal });
    const overtaken = Math.max(0, floor - Math.max(had.floor, through));
    const isWaiting = await exceeds(log, limits);
    this.#say(overtaken > 0 ? "overtaken" : isWaiting ? "waiting" : "none", { through, floor, overtaken });
    return { floor, removed: had.removed + removed };
  }

  #trimForNobody(log: WaitingLog, limits: TrimLimits): Promise<Trimmed> {
    this.#say("nobody", {});
    return log.trim(limits, { signal: this.#deps.signal });
  }

  #say(wait: Wait, numbers: { through?: number; floor?: number; overtaken?: number }): void {
    const { logger, metrics } = this.#deps;
    const destination = this.#reader.name;
    metrics.retentionWaiting.set(wait === "waiting" || wait === "overtaken" ? 1 : 0);
    metrics.retentionOvertaken.inc(numbers.overtaken ?? 0);
    // At its bound the log is trimmed round by round, and waits in between.
    if (wait === this.#wait || (wait === "waiting" && this.#wait === "overtaken")) return;
    this.#wait = wait;
    logger[LEVELS[wait]]({ destination, ...numbers }, TEXTS[wait](destination));
  }
}

const LEVELS = { none: "info", waiting: "warn", overtaken: "error", nobody: "warn" } as const;

const TEXTS: Record<Wait, (name: string) => string> = {
  none: (name) => `retention waits for the destination ${name} no longer: it has what goes`,
  waiting: (name) =>
    `retention waits for the destination ${name} (--retention-after): the log may grow to twice its limits`,
  overtaken: (name) =>
    `the log is at twice its limits: retention removes events that the destination ${name} (--retention-after) has not got`,
  nobody: (name) =>
    `retention does not wait for the destination ${name} (--retention-after): the configuration has it no more`,
};

async function exceeds(log: WaitingLog, limits: TrimLimits): Promise<boolean> {
  const { maxEvents = Infinity, maxBytes = Infinity, recordedBeforeMs = -Infinity } = limits;
  const { sequence, floor } = await log.head();
  if (sequence - floor > maxEvents || (await log.bytes()) > maxBytes) return true;
  const { oldestMs } = await log.times();
  return oldestMs !== null && oldestMs < recordedBeforeMs;
}

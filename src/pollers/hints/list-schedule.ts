import type { Clock } from "../../shared/clock.ts";

/** Lists of one scope take at most this share of the time. */
const MOST_OF_TIME = 0.1;
/** What is read though nothing asks for it takes no more of the time than this, and is read at most so often. */
const SCHEDULED_SHARE = 1 / 300;
const SCHEDULED_EVERY_MS = 15_000;
/** Where unexplained writes never cease, a list is read after so many times the quiet that is waited for. */
const LONGEST_IN_QUIETS = 3;
/** What a ms reads of a list that was never timed: as fast as a server of Nomad was measured to answer. */
const BYTES_PER_MS = 40_000;
/** So many unexplained indexes are told apart. */
const REMEMBERED = 1_000;

/** doubt: hints may be missing, or what they led to was not accepted; schedule: it was time for one. */
export type ListCause = "unexplained" | "doubt" | "schedule";

export interface ListScheduleOptions {
  /** A list is read so long after the last write that no hint explains. */
  readonly quietMs: number;
  /** And at least this often; more often where it is cheap, for what hides behind a write that is explained. */
  readonly fullEveryMs: number;
}

/** Something was written that no hint explains. */
interface Write {
  readonly noticedMs: number;
  /** A list that is asked for from then on settles it, whatever its own index is. */
  readonly settledFromMs: number;
}

/**
 * When a scope that is read by hints needs its whole list: some time after a write that no hint explains, at once
 * where hints may have been missed, and every few minutes in any case; but else never so often that reading lists
 * takes more than a tenth of the time.
 */
export class ListSchedule {
  readonly #clock: Clock;
  readonly #options: ListScheduleOptions;
  #readAtMs = 0;
  #tookMs = 0;
  #wasTimed = false;
  /** How many lists were asked for: what comes up while one is read is not settled by it. */
  #asked = 0;
  #urgent: { readonly reason: string; readonly index: bigint; readonly asked: number } | null = null;
  /** By index, in the order noticed. */
  readonly #unexplained = new Map<bigint, Write>();
  /** When the last of them was noticed. */
  #lastMs = 0;

  constructor(clock: Clock, options: ListScheduleOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** A list is asked for. Call what this answers when it is there, with its index. */
  asks(): (index: bigint) => void {
    const askedAtMs = this.#clock.elapsed();
    const asked = ++this.#asked;
    return (index) => {
      this.#readAtMs = this.#clock.elapsed();
      this.#tookMs = this.#readAtMs - askedAtMs;
      this.#wasTimed = true;
      const { index: needed, asked: before } = this.#urgent ?? { index: 0n, asked };
      if (before < asked && index >= needed) this.#urgent = null;
      this.#settle((written, { settledFromMs }) => written <= index || askedAtMs >= settledFromMs);
    };
  }

  /** A list of so many bytes is accepted, whoever asked for it: the next scheduled one comes so much later. */
  listed(bytes: number): void {
    this.#readAtMs = this.#clock.elapsed();
    if (!this.#wasTimed) this.#tookMs = bytes / BYTES_PER_MS;
  }

  /** How long reading the last list took, or is likely to have taken, ms. */
  get tookMs(): number {
    return this.#tookMs;
  }

  /** Why a list is needed without delay; null where none is. */
  get urgent(): string | null {
    return this.#urgent?.reason ?? null;
  }

  /** Whether something was written that no hint explains. */
  get isUnexplained(): boolean {
    return this.#unexplained.size > 0;
  }

  /** What a list that is due now is due for. */
  get cause(): ListCause {
    if (this.#urgent !== null) return "doubt";
    return this.isUnexplained ? "unexplained" : "schedule";
  }

  /** A list is needed now, and one that is not older than this index. */
  hurry(reason: string, index = 0n): void {
    const needed = this.#urgent !== null && this.#urgent.index > index ? this.#urgent.index : index;
    this.#urgent = { reason, index: needed, asked: this.#asked };
  }

  /** Something was written at this index of the scope's table, and no hint has told what. */
  unexplained(index: bigint): void {
    this.#remember(index, Infinity);
  }

  /** The same may be. Where it is not, the table never gets to this index: any list that is asked for later will do. */
  rumoured(index: bigint): void {
    this.#remember(index, this.#clock.elapsed() + this.#options.quietMs);
  }

  /** What was needed before is of a history that is no more. */
  forget(): void {
    this.#urgent = null;
    this.#unexplained.clear();
  }

  /** Hints may come after the write that they tell of was noticed: what they explain needs no list. */
  explain(isExplained: (index: bigint) => boolean): void {
    // Beyond what is remembered, others are unexplained too.
    if (this.#unexplained.size < REMEMBERED) this.#settle(isExplained);
  }

  #remember(index: bigint, settledFromMs: number): void {
    const now = this.#clock.elapsed();
    const before = this.#unexplained.get(index) ?? { noticedMs: now, settledFromMs: 0 };
    this.#unexplained.set(index, {
      noticedMs: before.noticedMs,
      settledFromMs: Math.max(settledFromMs, before.settledFromMs),
    });
    this.#lastMs = now;
    if (this.#unexplained.size > REMEMBERED) this.#forgetOne();
  }

  /** A list that has the later ones has the earlier too; the first says since when one is waited for. */
  #forgetOne(): void {
    const [, second] = this.#unexplained.keys();
    this.#unexplained.delete(second as bigint);
  }

  #settle(isSettled: (index: bigint, write: Write) => boolean): void {
    for (const [index, write] of this.#unexplained)
      if (isSettled(index, write)) this.#unexplained.delete(index);
  }

  /** Ms until the next list is due; 0 and below: now. */
  get dueInMs(): number {
    const now = this.#clock.elapsed();
    const restMs = Math.min(this.#tookMs * (1 / MOST_OF_TIME - 1), this.#options.fullEveryMs);
    const affordableAtMs = this.#readAtMs + restMs;
    return Math.max(this.#wantedAtMs(), affordableAtMs) - now;
  }

  #wantedAtMs(): number {
    if (this.#urgent !== null) return 0;
    const { quietMs, fullEveryMs } = this.#options;
    const cheapEveryMs = Math.max(SCHEDULED_EVERY_MS, this.#tookMs / SCHEDULED_SHARE);
    const fullAtMs = this.#readAtMs + Math.min(fullEveryMs, cheapEveryMs);
    const [first] = this.#unexplained.values();
    if (first === undefined) return fullAtMs;
    return Math.min(this.#lastMs + quietMs, first.noticedMs + LONGEST_IN_QUIETS * quietMs, fullAtMs);
  }
}

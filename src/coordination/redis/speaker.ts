import { randomUUID } from "node:crypto";
import { ChangefeedError } from "../../schemas/errors.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Speech } from "../broadcast.ts";
import type { BroadcastEntry, Turn } from "./hearing.ts";

/** Where what is said goes. */
export interface Podium {
  /**
   * Nobody speaks in another turn from now on. False, where `isFirst` is, and somebody else has taken a turn since this
   * speaker took its first.
   */
  take(turn: Turn, isFirst: boolean): Promise<boolean>;
  /** `isHeard`: nobody has taken another turn since; `asked`: how often something was asked so far. */
  say(entry: BroadcastEntry): Promise<{ readonly isHeard: boolean; readonly asked: number }>;
}

const STATUS_EVERY_MS = 2_000;
const RETRY_MS = 1_000;
/** Characters said at once, unless one message has more. */
const MOST_AT_ONCE = 2 ** 20;
/** Characters that wait to be said: with more, what waits is left out, and the status is said. */
const MOST_WAITING = 2 ** 24;

/** Says messages in order, one entry at a time: what comes up meanwhile goes into the next. */
export class Speaker {
  readonly #podium: Podium;
  readonly #speech: Speech;
  readonly #clock: Clock;
  /** This and no other. */
  readonly #name = randomUUID();
  #turns = 0;
  #hasSpoken = false;
  readonly #waiting: string[] = [];
  #waitingLength = 0;
  /** Whether somebody hears in this turn what waits. */
  #isOpen = false;
  #saidStatusMs = 0;
  #asked: number | undefined;
  #wake = new AbortController();

  constructor(podium: Podium, speech: Speech, clock: Clock) {
    this.#podium = podium;
    this.#speech = speech;
    this.#clock = clock;
  }

  say(message: string): void {
    if (!this.#isOpen) return;
    this.#waiting.push(message);
    this.#waitingLength += message.length;
    if (this.#waitingLength > MOST_WAITING) this.#close();
    this.#wake.abort();
  }

  /** Takes turn after turn: another one whenever something could not be said. */
  async run(signal: AbortSignal): Promise<"stopped" | "fenced"> {
    try {
      while (!signal.aborted) {
        const isFenced = await this.#takeTurn(signal).catch((error: unknown) => this.#failed(error, signal));
        if (isFenced) return "fenced";
      }
      return "stopped";
    } finally {
      this.#close();
    }
  }

  /** Whether somebody else speaks now. */
  async #takeTurn(signal: AbortSignal): Promise<boolean> {
    this.#close();
    const turn = { speaker: this.#name, number: (this.#turns += 1) };
    if (!(await this.#podium.take(turn, !this.#hasSpoken))) return true;
    this.#hasSpoken = true;
    this.#open();
    for (let sequence = 0; this.#isOpen && !signal.aborted; sequence += 1) {
      const { isHeard, asked } = await this.#podium.say({ turn, sequence, messages: this.#takeWaiting() });
      if (!isHeard) return false;
      this.#hearAsked(asked);
      await this.#untilThereIsMore(signal);
    }
    return false;
  }

  async #failed(error: unknown, signal: AbortSignal): Promise<false> {
    if (!(error instanceof ChangefeedError)) throw error;
    this.#close();
    await this.#clock.sleep(RETRY_MS, signal);
    return false;
  }

  #open(): void {
    this.#isOpen = true;
    this.#saidStatusMs = Number.NEGATIVE_INFINITY;
  }

  #close(): void {
    this.#isOpen = false;
    this.#waiting.length = 0;
    this.#waitingLength = 0;
  }

  #takeWaiting(): string[] {
    const taken: string[] = [];
    for (let length = 0; this.#waiting.length > 0 && length < MOST_AT_ONCE;) {
      const message = this.#waiting.shift() as string;
      length += message.length;
      taken.push(message);
    }
    this.#waitingLength -= taken.reduce((sum, { length }) => sum + length, 0);
    // It is about all that was said before it.
    if (this.#waiting.length === 0 && this.#statusInMs <= 0) taken.push(this.#takeStatus());
    return taken;
  }

  #takeStatus(): string {
    this.#saidStatusMs = this.#clock.elapsed();
    return this.#speech.status();
  }

  get #statusInMs(): number {
    return this.#saidStatusMs + STATUS_EVERY_MS - this.#clock.elapsed();
  }

  #hearAsked(asked: number): void {
    if (this.#asked !== undefined && asked !== this.#asked) this.#speech.onAsked();
    this.#asked = asked;
  }

  async #untilThereIsMore(signal: AbortSignal): Promise<void> {
    this.#wake = new AbortController();
    if (this.#waiting.length > 0 || !this.#isOpen) return;
    await this.#clock.sleep(this.#statusInMs, AbortSignal.any([signal, this.#wake.signal]));
  }
}

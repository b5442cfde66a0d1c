import { Alarm } from "../../shared/alarm.ts";
import type { Clock } from "../../shared/clock.ts";
import type { BroadcastListener } from "../broadcast.ts";

/** Who speaks does so at least every two seconds. */
const SILENT_MS = 6_000;

/** The time for which one process speaks, and no other. Of one speaker each has another number. */
export interface Turn {
  readonly speaker: string;
  readonly number: number;
}

/** What was said at once. */
export interface BroadcastEntry {
  readonly turn: Turn;
  /** From 0 on, within the turn. */
  readonly sequence: number;
  readonly messages: readonly string[];
}

/** Finds out whether something of what is said was missed. */
export class Hearing {
  readonly #listener: BroadcastListener;
  readonly #untilSilent: Alarm;
  /** What is expected next; undefined where anything may come. */
  #place: { readonly turn: Turn; readonly next: number } | undefined;

  constructor(listener: BroadcastListener, clock: Clock) {
    this.#listener = listener;
    this.#untilSilent = new Alarm(clock);
  }

  /** Whether everything is heard. */
  get isSteady(): boolean {
    return this.#place !== undefined;
  }

  hear({ turn, sequence, messages }: BroadcastEntry): void {
    const place = this.#place;
    if (place !== undefined && place.turn.speaker !== turn.speaker) this.lose("another process speaks now");
    else if (place !== undefined && place.turn.number !== turn.number) this.lose("who speaks begins anew");
    else if (place !== undefined && sequence > place.next) this.lose("something of what was said is missing");
    // It was said again, because its answer was lost.
    else if (place !== undefined && sequence < place.next) return;
    this.#place = { turn, next: sequence + 1 };
    this.#untilSilent.set(SILENT_MS, () => this.lose(`heard nothing for ${SILENT_MS / 1_000} s`));
    for (const message of messages) this.#listener.onMessage(message);
  }

  lose(reason: string): void {
    this.#untilSilent.cancel();
    if (this.#place === undefined) return;
    this.#place = undefined;
    this.#listener.onBreak(reason);
  }
}

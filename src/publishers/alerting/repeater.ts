import type { AlertJson } from "../../schemas/alert-schema.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Matching } from "../../routing/matching.ts";
import { Nap } from "../delivery/nap.ts";
import type { AlertReplica } from "./alert-replica.ts";
import type { View } from "./firing.ts";
import type { Place, WaitingMessage } from "./place.ts";
import { aboutText } from "./story.ts";

/** What ended is told again for so long. */
const ENDED_MS = 5 * 60_000;
/** Longer ago it has ended there by itself. */
const LONGEST_ENDED_MS = 15 * 60_000;

/** Whether people have paused or resumed it is looked at so often. */
const LOOK_EVERY_MS = 1000;

export interface RepeaterDeps {
  readonly clock: Clock;
  /** Which alerts it wants. */
  readonly matching: Matching;
  /** The place of the destination, given what waits to be told there. */
  readonly place: (waiting: () => readonly WaitingMessage[]) => Place;
}

/**
 * Keeps one destination told of all that fires: what is new at once, all of it again and again, and what ended for a
 * while. It remembers nothing that another process could miss: whoever goes on tells everything anew.
 */
export class Repeater {
  readonly #destination: AlertReplica;
  readonly #matching: Matching;
  readonly #place: Place;
  readonly #clock: Clock;
  readonly #nap: Nap;
  #view: View | undefined;
  /** What it took, and has not been told again since: beginnings and ends. */
  #told = new Set<string>();
  #wholeAtMs = 0;

  constructor(destination: AlertReplica, { clock, matching, place }: RepeaterDeps) {
    this.#destination = destination;
    this.#matching = matching;
    this.#place = place(() => this.#news().map(waitingOf));
    this.#clock = clock;
    this.#nap = new Nap(clock);
  }

  get place(): Place {
    return this.#place;
  }

  tell(view: View): void {
    const isFirst = this.#view === undefined;
    this.#view = view;
    if (isFirst || this.#news().length > 0) this.#nap.wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const restMs = this.#place.isPaused ? LOOK_EVERY_MS : Math.max(this.#dueInMs(), this.#place.holdMs);
      if (restMs > 0) await this.#nap.sleep(Math.min(restMs, LOOK_EVERY_MS), signal);
      else await this.#send(signal);
    }
  }

  #dueInMs(): number {
    if (this.#view === undefined) return this.#destination.resendMs;
    return this.#news().length > 0 ? 0 : this.#wholeAtMs - this.#clock.elapsed();
  }

  async #send(signal: AbortSignal): Promise<void> {
    const beganAtMs = this.#clock.elapsed();
    const isWhole = beganAtMs >= this.#wholeAtMs;
    const alerts = isWhole ? this.#all() : this.#news();
    const send = (until: AbortSignal) => this.#destination.send(alerts, isWhole, until);
    const result = await this.#place.send(alerts, send, signal);
    if (result === undefined || !this.#place.took(result, alerts)) return;
    if (isWhole) {
      this.#told = new Set();
      this.#wholeAtMs = beganAtMs + this.#destination.resendMs;
    }
    for (const alert of alerts) this.#told.add(keyOf(alert));
  }

  /** What it has not heard of: an alert that fires, or its end. */
  #news(): AlertJson[] {
    return this.#all().filter((alert) => !this.#told.has(keyOf(alert)));
  }

  #all(): AlertJson[] {
    const { open, ended } = this.#view ?? { open: [], ended: [] };
    const nowMs = this.#clock.now();
    const lastOkMs = this.#place.lastOkMs ?? 0;
    const sinceMs = nowMs - Math.min(LONGEST_ENDED_MS, Math.max(ENDED_MS, nowMs - lastOkMs));
    // Of one alert the latest alone: an end that comes after a new beginning would end that.
    const latest = new Map<string, AlertJson>();
    for (const alert of [...open.filter(({ state }) => state === "firing"), ...ended])
      if (!latest.has(alert.id)) latest.set(alert.id, alert);
    return [...latest.values()].filter(
      (alert) => (alert.endsAt === null || Date.parse(alert.endsAt) >= sinceMs) && this.#isWanted(alert),
    );
  }

  /** As it was while it fired: its end goes where the alert went. */
  #isWanted(alert: AlertJson): boolean {
    return this.#matching({ ...alert, state: "firing" }) === undefined;
  }
}

function waitingOf({ rule, labels, startsAt, firedAt, endsAt }: AlertJson): WaitingMessage {
  const sinceMs = Date.parse(endsAt ?? firedAt ?? startsAt);
  return { about: `${rule}, ${aboutText(labels)}`, sinceMs, dueAtMs: sinceMs };
}

/** An alert and its end are two things to tell, and one that begins anew is a third. */
function keyOf({ id, startsAt, state }: AlertJson): string {
  return `${state} ${startsAt} ${id}`;
}

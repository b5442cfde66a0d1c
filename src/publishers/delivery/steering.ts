import { EpochChanged, FutureCursor } from "../../feed/errors.ts";
import type { FeedLog } from "../../feed/log.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import { changeDocument } from "./change-document.ts";
import { NoDelivery } from "./errors.ts";
import { documentOf, parsePosition, positionText, type Place, type Position } from "./position.ts";
import { placeAt, startOf } from "./start.ts";

/** From a cursor, or since a time in ms since 1970. */
export type ReplayFrom = { readonly cursor: Cursor } | { readonly sinceMs: number };

export interface SteeringDeps {
  readonly log: Pick<FeedLog, "head" | "times" | "cursorAt" | "documents">;
  readonly clock: Clock;
  /** How the destination is configured here; undefined where it is not. */
  readonly configured: (name: string) => { readonly name: string; readonly from: string } | undefined;
}

/** Changes positions for people. Whoever delivers takes notice within a second. */
export class Steering {
  readonly #deps: SteeringDeps;

  constructor(deps: SteeringDeps) {
    this.#deps = deps;
  }

  /** @throws NoDelivery */
  pause(name: string, reason: string | null): Promise<void> {
    const at = new Date(this.#deps.clock.now()).toISOString();
    return this.#change(name, (position) => ({ ...position, paused: position.paused ?? { at, reason } }));
  }

  /** Whatever kept it from delivering, it is tried at once. @throws NoDelivery */
  resume(name: string): Promise<void> {
    return this.#change(name, (position) => ({ ...position, paused: null, circuit: null }));
  }

  /** @throws NoDelivery, EpochChanged, FutureCursor */
  async replay(name: string, from: ReplayFrom): Promise<void> {
    const { log } = this.#deps;
    const place = "sinceMs" in from ? await placeAt(from.sinceMs, log) : await this.#placeOf(from.cursor);
    await this.#change(name, (position) => ({ ...position, ...place, replays: position.replays + 1 }));
  }

  async #placeOf(cursor: Cursor): Promise<Place> {
    const head = await this.#deps.log.head();
    if (cursor.epoch !== head.epoch) throw new EpochChanged(cursor, head);
    if (cursor.sequence > head.sequence) throw new FutureCursor(cursor, head);
    return { cursor, recordedAt: null };
  }

  #change(name: string, change: (position: Position) => Position): Promise<void> {
    const { documents } = this.#deps.log;
    return changeDocument(documentOf(name), "nobody yet", documents, async (text) => {
      const position = text === null ? await this.#first(name) : parsePosition(name, text);
      return positionText(change(position));
    });
  }

  async #first(name: string): Promise<Position> {
    const configured = this.#deps.configured(name);
    if (configured === undefined) throw new NoDelivery(name);
    return startOf(configured, this.#deps.log);
  }
}

import type { IncomingMessage } from "node:http";
import { EVERYTHING, type Access } from "../publishers/selection/access.ts";
import { LimitReached } from "./access/errors.ts";
import { addressOf } from "./access/limits.ts";
import { goneSignal } from "./gone.ts";

const RETRY_AFTER_SECONDS = 2;

export interface StatePlacesOptions {
  /** States and snapshots that are read at once. */
  readonly maxStates: number;
  /** The same of one token; of one address where nobody is asked who they are. */
  readonly maxStatesPerHolder: number;
}

/** Counts states and snapshots under way: each keeps a consistent read open until its reader has all of it. */
export class StatePlaces {
  readonly #options: StatePlacesOptions;
  readonly #taken = new Map<string, number>();
  #count = 0;

  constructor(options: StatePlacesOptions) {
    this.#options = options;
  }

  /** The returned function gives the place back; so does the end of the connection. @throws LimitReached */
  take({ socket }: Pick<IncomingMessage, "socket">, access: Access): () => void {
    const { maxStates, maxStatesPerHolder } = this.#options;
    const isAnybody = access === EVERYTHING;
    const holder = isAnybody ? `address ${addressOf(socket)}` : `token ${access.name}`;
    const taken = this.#taken.get(holder) ?? 0;
    if (taken >= maxStatesPerHolder) {
      const whose = isAnybody ? "Your address" : "This token";
      throw limit(
        `${whose} reads ${maxStatesPerHolder} states or snapshots already`,
        "--max-states-per-token",
      );
    }
    if (this.#count >= maxStates) {
      throw limit(`${maxStates} states or snapshots are being read already`, "--max-states");
    }
    this.#taken.set(holder, taken + 1);
    this.#count += 1;
    const gone = goneSignal(socket);
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      gone.removeEventListener("abort", release);
      this.#count -= 1;
      const left = (this.#taken.get(holder) ?? 1) - 1;
      if (left > 0) this.#taken.set(holder, left);
      else this.#taken.delete(holder);
    };
    if (gone.aborted) release();
    else gone.addEventListener("abort", release);
    return release;
  }
}

function limit(message: string, option: string): LimitReached {
  const hint = `Read what you have asked for, or ask again in a moment; ${option} allows more`;
  return new LimitReached(message, { retryAfterSeconds: RETRY_AFTER_SECONDS, hint });
}

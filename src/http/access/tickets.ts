import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../../shared/clock.ts";
import { LimitReached, Unauthorized } from "./errors.ts";

const LIFETIME_MS = 30_000;
const MAX_TICKETS = 10_000;

/**
 * Tickets stand for a token for half a minute and are good once, so that a browser can put one in a URL: by the
 * time a log has it, it is worth nothing. Known to this process alone, and only by their hashes.
 */
export class Tickets {
  readonly #clock: Clock;
  /** Expiry by the clock that nobody sets. */
  readonly #open = new Map<string, { readonly token: string | undefined; readonly endsAtMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws LimitReached where too many wait to be used. */
  issue(token: string | undefined): { readonly ticket: string; readonly expiresAtMs: number } {
    this.#forgetOld();
    if (this.#open.size >= MAX_TICKETS) {
      throw new LimitReached("Too many tickets wait to be used", {
        retryAfterSeconds: LIFETIME_MS / 1000,
        hint: "Ask for a ticket only right before you connect with it",
      });
    }
    const ticket = randomBytes(32).toString("base64url");
    this.#open.set(hashOf(ticket), { token, endsAtMs: this.#clock.elapsed() + LIFETIME_MS });
    return { ticket, expiresAtMs: this.#clock.now() + LIFETIME_MS };
  }

  /** The token it stands for. @throws Unauthorized where it was used, is too old, or never was one. */
  redeem(ticket: string): string | undefined {
    const key = hashOf(ticket);
    const found = this.#open.get(key);
    this.#open.delete(key);
    if (found === undefined || found.endsAtMs <= this.#clock.elapsed()) {
      throw new Unauthorized(
        "The ticket is not good: it was used, is older than 30 s, or is of another process",
        "Ask for a new one: POST /v1/tickets",
      );
    }
    return found.token;
  }

  /** They are in the order of their age. */
  #forgetOld(): void {
    const now = this.#clock.elapsed();
    for (const [key, { endsAtMs }] of this.#open) {
      if (endsAtMs > now) return;
      this.#open.delete(key);
    }
  }
}

function hashOf(ticket: string): string {
  return createHash("sha256").update(ticket).digest("base64");
}

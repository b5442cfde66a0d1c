import { ChangefeedError } from "../schemas/errors.ts";
import type { ResourceType } from "../schemas/resources.ts";
import { scopeName, type Scope } from "../schemas/scope.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Clock } from "../shared/clock.ts";

type Level = "warn" | "error";

/** Delays from here on are said at the higher level, ms. */
const SEVERE_DELAY_MS = 10_000;
const REMIND_EVERY_MS = 10 * 60_000;

/**
 * Says what keeps scopes from going on, once a cause and not once a scope and try: when Nomad is away or the disk
 * is full, forty loops fail the same way every few seconds. It is said again when the delays have grown, and from
 * time to time while it lasts.
 */
export class OutageReporter {
  readonly #logger: Logger;
  readonly #clock: Clock;
  /** Scope name to the code it fails with. */
  readonly #failing = new Map<string, string>();
  /** What Nomad does not have, and why. */
  readonly #lacking = new Map<ResourceType, string>();
  /** What was logged, by cause. */
  readonly #logged = new Map<string, { level: Level; atMs: number }>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** `error` may be anything; what is no ChangefeedError is told with its stack, as soon as it happens. */
  failed(scope: Scope, error: unknown, retryInMs: number, consequence = ""): void {
    const name = scopeName(scope);
    const { code, message, about, ...known } = factsOf(error);
    this.#failing.set(name, code);
    // A refusal is about this scope alone; anything else is likely to be about Nomad, or the log, as a whole.
    const cause = about === "everything" ? code : `${code} ${name}`;
    const level = known.err !== undefined || retryInMs >= SEVERE_DELAY_MS ? "error" : "warn";
    const fields = { scope: name, code, retryInMs, ...known };
    this.#logger[this.#isNews(cause, level) ? level : "debug"](fields, `${consequence}${message}`);
  }

  /** Nomad does not have the resource, or does not let the token read it, which is no outage; said once for all its scopes. */
  lacks(scope: Scope, why: string): void {
    const { resource } = scope;
    this.forget(scope);
    if (this.#lacking.get(resource) === why) return;
    this.#lacking.set(resource, why);
    this.#logger.info({ resource }, `${resource} not watched: ${why}; asking again every minute or two`);
  }

  recovered(scope: Scope): void {
    const name = scopeName(scope);
    if (!this.#failing.has(name)) return;
    this.forget(scope);
    if (this.#failing.size === 0) this.#logger.info("all scopes recovered");
    else this.#logger.debug({ scope: name, stillFailing: this.#failing.size }, "scope recovered");
  }

  /** The scope is not watched any more. */
  forget(scope: Scope): void {
    const name = scopeName(scope);
    const code = this.#failing.get(name);
    if (code === undefined) return;
    this.#failing.delete(name);
    this.#logged.delete(`${code} ${name}`);
    if (![...this.#failing.values()].includes(code)) this.#logged.delete(code);
  }

  #isNews(cause: string, level: Level): boolean {
    const now = this.#clock.elapsed();
    const before = this.#logged.get(cause);
    const grown = before?.level === "warn" && level === "error";
    if (before !== undefined && !grown && now - before.atMs < REMIND_EVERY_MS) return false;
    this.#logged.set(cause, { level, atMs: now });
    return true;
  }
}

/** `err` is there where nobody expected the error. */
function factsOf(error: unknown): {
  code: string;
  message: string;
  about: "everything" | "scope";
  hint?: string | undefined;
  err?: unknown;
} {
  if (error instanceof ChangefeedError) {
    const { code, message, hint, retryable } = error;
    const refused = !retryable && !code.startsWith("LOG_");
    return { code, message, hint, about: refused ? "scope" : "everything" };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: `UNEXPECTED: ${message}`, message, about: "everything", err: error };
}

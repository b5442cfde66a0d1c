import type { ChangefeedError } from "../schemas/errors.ts";
import { scopeName, type Scope } from "../schemas/scope.ts";
import type { Logger } from "../telemetry/logger.ts";

/**
 * Says what keeps scopes from reading Nomad, once a cause and not once a scope and try: when Nomad is away,
 * forty loops fail the same way every few seconds. The level rises with the delay.
 */
export class OutageReporter {
  readonly #logger: Logger;
  readonly #failing = new Map<string, string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  failed(scope: Scope, error: ChangefeedError, retryInMs: number): void {
    const name = scopeName(scope);
    const known = [...this.#failing.values()].includes(error.code);
    const again = this.#failing.get(name) === error.code;
    this.#failing.set(name, error.code);
    const level = retryInMs >= 10_000 ? "error" : "warn";
    const fields = { scope: name, code: error.code, retryInMs, hint: error.hint };
    // A refusal is about this scope alone; anything else is likely to be about Nomad as a whole.
    const news = error.retryable ? !known : !again;
    this.#logger[news ? level : "debug"](fields, error.message);
  }

  recovered(scope: Scope): void {
    if (!this.#failing.delete(scopeName(scope))) return;
    if (this.#failing.size === 0) this.#logger.info("Nomad answers every scope again");
    else
      this.#logger.debug({ scope: scopeName(scope), stillFailing: this.#failing.size }, "scope reads again");
  }

  /** The scope is not watched any more. */
  forget(scope: Scope): void {
    this.#failing.delete(scopeName(scope));
  }
}

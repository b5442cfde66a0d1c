import { createHash } from "node:crypto";
import { ALL_RIGHTS, type TokenRights } from "../../schemas/rights.ts";
import { deadlineOf, type Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { AuthUnavailable, Unauthorized } from "./errors.ts";
import { FairSlots, type Requester } from "./fair-slots.ts";
import type { Authenticator, Identity } from "./identity.ts";
import { UnknownTokens } from "./unknown-tokens.ts";

/** Asks Nomad about a token, or about what needs none. Rejects where Nomad cannot be asked. */
export type AskNomad = (token: string | undefined, signal: AbortSignal) => Promise<TokenRights>;

const ANSWER_WITHIN_MS = 15_000;

/**
 * Knows the tokens that Nomad knows; each may see what Nomad lets it list. However many made-up ones are sent, the
 * others get their turn: Nomad is asked about some at once, fairly by address, and what it does not know is remembered.
 */
export class NomadTokens implements Authenticator {
  readonly #ask: AskNomad;
  readonly #logger: Logger;
  /** Where Nomad runs without ACLs everybody may list everything there; whether that holds here without a token. */
  readonly #openWithoutAcls: boolean;
  readonly #clock: Clock;
  readonly #slots: FairSlots;
  readonly #unknown: UnknownTokens;
  #saidOpen = false;

  constructor(
    ask: AskNomad,
    options: {
      readonly logger: Logger;
      readonly openWithoutAcls: boolean;
      /** How many tokens Nomad is asked about at a time. */
      readonly atOnce?: number;
      readonly clock: Clock;
    },
  ) {
    this.#ask = ask;
    this.#logger = options.logger;
    this.#openWithoutAcls = options.openWithoutAcls;
    this.#clock = options.clock;
    this.#slots = new FairSlots(options.atOnce ?? 4);
    this.#unknown = new UnknownTokens(options.clock);
  }

  async identify(token: string | undefined, requester: Requester): Promise<Identity | undefined> {
    const hash = createHash("sha256")
      .update(token ?? "")
      .digest("base64");
    // One that was good is asked about again, however it was refused a moment ago.
    if (!requester.known && this.#unknown.has(hash)) return undefined;
    const answer = await this.#answer(token, requester);
    if (answer.kind === "known") return { ...answer, isNomads: true };
    if (answer.kind === "expired") throw new Unauthorized("The token has expired", "Get a new token");
    if (answer.kind === "unknown") {
      if (!requester.known) this.#unknown.add(hash);
      return undefined;
    }
    this.#warnOnce();
    if (token === undefined && !this.#openWithoutAcls) return undefined;
    return { name: "nomad without ACLs", manages: true, isNomads: true, rights: ALL_RIGHTS };
  }

  async #answer(token: string | undefined, requester: Requester): Promise<TokenRights> {
    using deadline = deadlineOf(this.#clock, ANSWER_WITHIN_MS);
    const { signal } = deadline;
    return await this.#slots.run(requester, signal, () =>
      this.#ask(token, signal).catch((error: unknown) => {
        throw new AuthUnavailable(error);
      }),
    );
  }

  #warnOnce(): void {
    if (this.#saidOpen) return;
    this.#saidOpen = true;
    this.#logger.warn("Nomad runs without ACLs: every token is accepted and sees everything");
  }
}

import { ALL_RIGHTS, type Rights } from "../../schemas/rights.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { AuthUnavailable, Unauthorized } from "./errors.ts";
import type { Authenticator, Identity } from "./identity.ts";

/** Asks Nomad about a token, or about what needs none. Rejects where Nomad cannot be asked. */
export type AskNomad = (
  token: string | undefined,
  signal: AbortSignal,
) => Promise<
  | {
      readonly kind: "known";
      readonly name: string;
      readonly manages?: boolean;
      readonly rights: Rights;
      readonly expiresAtMs: number | undefined;
    }
  | { readonly kind: "unknown" | "expired" | "acls-off" }
>;

const ANSWER_WITHIN_MS = 15_000;

/** Knows the tokens that Nomad knows; each may see what Nomad lets it list. */
export class NomadTokens implements Authenticator {
  readonly #ask: AskNomad;
  readonly #logger: Logger;
  /** Where Nomad runs without ACLs everybody may list everything there; whether that holds here without a token. */
  readonly #openWithoutAcls: boolean;
  #saidOpen = false;

  constructor(ask: AskNomad, options: { logger: Logger; openWithoutAcls: boolean }) {
    this.#ask = ask;
    this.#logger = options.logger;
    this.#openWithoutAcls = options.openWithoutAcls;
  }

  async identify(token: string | undefined): Promise<Identity | undefined> {
    const answer = await this.#ask(token, AbortSignal.timeout(ANSWER_WITHIN_MS)).catch((error: unknown) => {
      throw new AuthUnavailable(error);
    });
    if (answer.kind === "known") return answer;
    if (answer.kind === "expired") throw new Unauthorized("The token has expired", "Get a new token");
    if (answer.kind === "unknown") return undefined;
    this.#warnOnce();
    if (token === undefined && !this.#openWithoutAcls) return undefined;
    return { name: "nomad without ACLs", manages: true, rights: ALL_RIGHTS };
  }

  #warnOnce(): void {
    if (this.#saidOpen) return;
    this.#saidOpen = true;
    this.#logger.warn("Nomad runs without ACLs: as there, every token is accepted and sees everything");
  }
}

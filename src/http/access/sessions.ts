import type { IncomingMessage } from "node:http";
import type { DocumentStore } from "../../feed/log.ts";
import type { Clock } from "../../shared/clock.ts";
import { Unauthorized } from "./errors.ts";
import { assertOwnPage } from "./own-page.ts";
import { SealedTokens } from "./sealed-tokens.ts";
import { SessionCookie } from "./session-cookie.ts";

/** Browsers that open again what was open keep cookies that should have ended with them. */
const UNREMEMBERED_MS = 24 * 3_600_000;

/** Sessions of browsers: cookies, each with a token in it that stands for it at every request. */
export class Sessions {
  readonly #sealed: SealedTokens;
  readonly #cookie: SessionCookie;

  constructor(deps: {
    readonly documents: Pick<DocumentStore, "get" | "claim" | "change">;
    /** nomad://<cluster>/<region> */
    readonly source: string;
    readonly clock: Pick<Clock, "now" | "elapsed">;
  }) {
    this.#sealed = new SealedTokens(deps);
    this.#cookie = new SessionCookie(deps.source);
  }

  /**
   * The token of the request's cookie; undefined where it has none.
   * @throws Forbidden where the request is not of this server's own page; Unauthorized, InvalidParameter, LogUnavailable
   */
  async tokenOf(request: IncomingMessage): Promise<string | undefined> {
    const value = this.#cookie.valueIn(request.headers);
    if (value === undefined) return undefined;
    assertOwnPage(request);
    const token = await this.#sealed.open(value);
    if (token !== undefined) return token;
    throw new Unauthorized("The session is over", "Sign in again: POST /v1/session with your token");
  }

  /** A `Set-Cookie` with the token in it; without `rememberMs` for as long as the browser is open. */
  async begin(request: IncomingMessage, token: string, rememberMs?: number): Promise<string> {
    const sealed = await this.#sealed.seal(token, rememberMs ?? UNREMEMBERED_MS);
    return this.#cookie.set(request, sealed, rememberMs);
  }

  /** A `Set-Cookie` after which the browser has none. */
  end(request: IncomingMessage): string {
    return this.#cookie.removed(request);
  }
}

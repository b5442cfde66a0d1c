import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { Forbidden } from "../errors.ts";
import { isOwnOrigin } from "./own-page.ts";

const READABLE_HEADERS =
  "X-Changefeed-Cursor, X-Changefeed-Head, X-Changefeed-Floor, X-Changefeed-Gap, X-Changefeed-Feeds-Away, Link, Retry-After";
const SENDABLE_HEADERS = "Authorization, X-Nomad-Token, X-Changefeed-Csrf, Last-Event-ID";

/** Which pages may read the feed through their users' browsers: this server's own, and those allowed by name. */
export class Origins {
  readonly #allowed: ReadonlySet<string>;

  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed.map((origin) => origin.toLowerCase()));
  }

  /**
   * A page can have its user's browser ask without an Origin, as an image would; it gets no answer to read, but the
   * work would be done. Newer browsers say where such a request comes from. To follow a link is not the page's doing.
   * @throws Forbidden where a browser asks for a page of another origin.
   */
  assertAllowed({ headers }: IncomingMessage): void {
    const { origin } = headers;
    if (origin === undefined) {
      if (!isVisit(headers)) this.#assertNotForeign(headers);
    } else if (!this.#mayRead(origin, headers)) {
      throw foreign(`Pages of ${origin.slice(0, 100)}`);
    }
  }

  /** For a GET that stores something, to which a link must not lead either. @throws Forbidden */
  assertMayWrite({ headers }: IncomingMessage): void {
    if (headers.origin === undefined) this.#assertNotForeign(headers);
  }

  /** Lets the browser give the answer, whatever it will be, to a page that may have it. */
  allowReading({ headers }: IncomingMessage, response: ServerResponse): void {
    const { origin } = headers;
    response.setHeader("vary", "Origin");
    if (origin === undefined || !this.#mayRead(origin, headers)) return;
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("access-control-expose-headers", READABLE_HEADERS);
  }

  /** What a browser asks before it sends a token or a POST. */
  answerPreflight(response: ServerResponse): void {
    response
      .setHeader("access-control-allow-methods", "GET, POST, DELETE")
      .setHeader("access-control-allow-headers", SENDABLE_HEADERS)
      .setHeader("access-control-max-age", "600");
  }

  #assertNotForeign(headers: IncomingHttpHeaders): void {
    const site = headers["sec-fetch-site"];
    if ((site !== "cross-site" && site !== "same-site") || this.#allowed.has("*")) return;
    throw foreign("Pages of other sites");
  }

  #mayRead(origin: string, headers: IncomingHttpHeaders): boolean {
    return this.#allowed.has("*") || this.#allowed.has(origin.toLowerCase()) || isOwnOrigin(origin, headers);
  }
}

/** A browser asks whether a page may send what it wants to. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === "OPTIONS" && "access-control-request-method" in headers;
}

/** Somebody follows a link, or enters the address: the answer fills the window. */
function isVisit(headers: IncomingHttpHeaders): boolean {
  return headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
}

function foreign(who: string): Forbidden {
  return new Forbidden(`${who} may not connect here`, {
    hint: "Connect from a page that this server's own host and port serve, or allow the origin with --allow-origin",
  });
}

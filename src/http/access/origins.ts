import type { IncomingMessage, ServerResponse } from "node:http";
import { Forbidden } from "../errors.ts";

const READABLE_HEADERS = "X-Changefeed-Cursor, X-Changefeed-Head, X-Changefeed-Gap, Link, Retry-After";

/** Which pages may read the feed through their visitors' browsers: this server's own, and those allowed by name. */
export class Origins {
  readonly #allowed: ReadonlySet<string>;

  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed.map((origin) => origin.toLowerCase()));
  }

  /** @throws Forbidden where a browser asks for a page of another origin. */
  assertAllowed({ headers: { origin, host } }: IncomingMessage): void {
    if (origin === undefined || this.#isNamed(origin) || isOwn(origin, host)) return;
    throw new Forbidden(`Pages of ${origin.slice(0, 100)} may not connect here`, {
      hint: "Connect from a page that this server's own host and port serve, or allow the origin with --allow-origin",
    });
  }

  /** Lets the browser give the answer to the page. */
  allowReading({ headers: { origin } }: IncomingMessage, response: ServerResponse): void {
    response.setHeader("vary", "Origin");
    if (origin === undefined) return;
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("access-control-expose-headers", READABLE_HEADERS);
  }

  /** What a browser asks before it sends a token or a POST. */
  answerPreflight(response: ServerResponse): void {
    response
      .setHeader("access-control-allow-methods", "GET, POST, DELETE")
      .setHeader("access-control-allow-headers", "Authorization, X-Nomad-Token, Last-Event-ID")
      .setHeader("access-control-max-age", "600");
  }

  #isNamed(origin: string): boolean {
    return this.#allowed.has("*") || this.#allowed.has(origin.toLowerCase());
  }
}

function isOwn(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

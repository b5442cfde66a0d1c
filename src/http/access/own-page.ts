import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { Forbidden } from "../errors.ts";

const HINT = "Ask from a page that this server serves, or send a token: Authorization: Bearer <token>";
const SAFE_METHODS: ReadonlySet<string | undefined> = new Set(["GET", "HEAD"]);

/**
 * Whether a page of this origin is this server's own. Behind a proxy `Host` may be another than the browser's. What the
 * proxy, or the browser itself, says then is to be believed: pages can set neither header, since no preflight allows
 * them to.
 */
export function isOwnOrigin(origin: string, headers: IncomingHttpHeaders): boolean {
  if (headers["sec-fetch-site"] === "same-origin") return true;
  const seenAs = [headers.host, firstOf(headers["x-forwarded-host"])].flatMap((host) =>
    host ? [host.toLowerCase()] : [],
  );
  return URL.canParse(origin) && seenAs.includes(new URL(origin).host);
}

/** Each of several proxies adds what it was asked for: the first was asked by the browser. */
function firstOf(values: string | readonly string[] | undefined): string | undefined {
  return values?.toString().split(",", 1)[0]?.trim();
}

/**
 * A browser sends a cookie by itself, whoever has it ask. So it counts only where nobody but this server's own page can
 * have asked, whichever other origins may read here.
 * @throws Forbidden
 */
export function assertOwnPage(request: IncomingMessage): void {
  assertNotOfOthers(request);
  if (!SAFE_METHODS.has(request.method) && request.headers["x-changefeed-csrf"] !== "1") {
    throw new Forbidden(
      "With the cookie of a session this request needs a header that only its own page sends",
      {
        hint: "Send X-Changefeed-Csrf: 1, or a token: Authorization: Bearer <token>",
      },
    );
  }
}

/** @throws Forbidden where a page of another origin asks, even one that may read here. */
export function assertNotOfOthers({ headers }: IncomingMessage): void {
  const { origin, upgrade, "sec-fetch-site": site } = headers;
  // A WebSocket is what a page can have opened without any other sign of where it comes from.
  if (origin === undefined && upgrade !== undefined) throw foreign("A WebSocket without Origin");
  if (origin !== undefined && !isOwnOrigin(origin, headers)) throw foreign("A page of another origin");
  if (site !== undefined && site !== "same-origin" && site !== "none")
    throw foreign("A page of another site");
}

function foreign(who: string): Forbidden {
  return new Forbidden(`${who} cannot use the session of a browser`, { hint: HINT });
}

import { createHash } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { InvalidParameter } from "../../schemas/subscription-schema.ts";

/** Browsers keep no longer one, and do not say so. */
const MAX_COOKIE_BYTES = 4096;

/**
 * A cookie that no script reads and that no other site has sent. It has no `Path`, so that it goes to what is beside
 * `/v1/session`, wherever a proxy has put that; and the feed in its name, so that two feeds of a host keep theirs apart.
 */
export class SessionCookie {
  readonly #name: string;

  /** `source`: nomad://<cluster>/<region> */
  constructor(source: string) {
    this.#name = `changefeed-${createHash("sha256").update(source).digest("hex").slice(0, 8)}`;
  }

  /** @throws InvalidParameter where two differ: another host of the domain may have set one of them. */
  valueIn({ cookie = "" }: IncomingHttpHeaders): string | undefined {
    const prefix = `${this.#name}=`;
    const pairs = cookie.split(";").map((pair) => pair.trim());
    const values = new Set(
      pairs.flatMap((pair) => (pair.startsWith(prefix) ? pair.slice(prefix.length) : [])),
    );
    if (values.size > 1) {
      throw new InvalidParameter("The browser sends more than one session of this feed", "Cookie", [
        `one ${this.#name}`,
      ]);
    }
    const [value] = values;
    return value;
  }

  /** What `Set-Cookie` says; without `maxAgeMs` it ends with the browser. @throws InvalidParameter */
  set(request: IncomingMessage, value: string, maxAgeMs?: number): string {
    const maxAge = maxAgeMs === undefined ? "" : `; Max-Age=${Math.floor(maxAgeMs / 1000)}`;
    const text = `${this.#name}=${value}; HttpOnly; SameSite=Strict${isSecure(request) ? "; Secure" : ""}${maxAge}`;
    if (Buffer.byteLength(text) <= MAX_COOKIE_BYTES) return text;
    throw new InvalidParameter("The token is too long for a cookie", "Authorization", [
      "a token of up to 2500 bytes",
    ]);
  }

  /** What `Set-Cookie` says so that the browser forgets it. */
  removed(request: IncomingMessage): string {
    return this.set(request, "", 0);
  }
}

/** Whether the browser sees https. Whoever says so wrongly keeps itself from having the cookie, and nobody else. */
function isSecure({ socket, headers }: IncomingMessage): boolean {
  return (
    socket instanceof TLSSocket ||
    headers["x-forwarded-proto"] === "https" ||
    headers.origin?.startsWith("https://") === true
  );
}

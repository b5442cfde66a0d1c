import type { IncomingMessage } from "node:http";
import { NotFound } from "./errors.ts";

/**
 * Path and query that a request asks for; the host is none.
 * @throws NotFound where it asks for something else than a path, as `*` or a proxy's whole URL.
 */
export function urlOf({ method = "GET", url = "/" }: IncomingMessage): URL {
  if (!url.startsWith("/")) throw new NotFound(method, url);
  return new URL(`http://feed${url}`);
}

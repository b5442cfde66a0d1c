import type { IncomingMessage } from "node:http";
import { NotFound } from "./errors.ts";

export const TICKET_PARAMETER = "ticket";

/**
 * Path and query that a request asks for; the host is none.
 * @throws NotFound where it asks for something else than a path, as `*` or a proxy's whole URL.
 */
export function urlOf({ method = "GET", url = "/" }: IncomingMessage): URL {
  if (!url.startsWith("/")) throw new NotFound(method, url);
  return new URL(`http://feed${url}`);
}

/** Without the ticket, which is for the gate alone. @throws NotFound */
export function requestUrl(request: IncomingMessage): URL {
  const url = urlOf(request);
  url.searchParams.delete(TICKET_PARAMETER);
  return url;
}

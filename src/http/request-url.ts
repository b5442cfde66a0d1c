import type { IncomingMessage } from "node:http";
import { NotFound } from "./errors.ts";

export const TICKET_PARAMETER = "ticket";
/** As in Nomad's API: JSON with line breaks, for people. */
const PRETTY_PARAMETER = "pretty";

/**
 * Path and query that a request asks for; the host is none.
 * @throws NotFound where it asks for something else than a path, as `*` or a proxy's whole URL.
 */
export function urlOf({ method = "GET", url = "/" }: IncomingMessage): URL {
  if (!url.startsWith("/")) throw new NotFound(method, url);
  return new URL(`http://feed${url}`);
}

/** Whether the answer is to be JSON with line breaks. @throws NotFound */
export function wantsPretty(request: IncomingMessage): boolean {
  return urlOf(request).searchParams.has(PRETTY_PARAMETER);
}

/** Without the ticket, which is for the gate alone, and without what all answers heed. @throws NotFound */
export function requestUrl(request: IncomingMessage): URL {
  const url = urlOf(request);
  url.searchParams.delete(TICKET_PARAMETER);
  url.searchParams.delete(PRETTY_PARAMETER);
  return url;
}

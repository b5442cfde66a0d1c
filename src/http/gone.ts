import type { EventEmitter } from "node:events";
import { ClientGone } from "../publishers/fanout/subscriber.ts";

/** Aborts with ClientGone when the response, or the socket, closes: nobody waits for an answer any more. */
export function goneSignal(connection: EventEmitter & { readonly destroyed: boolean }): AbortSignal {
  const gone = new AbortController();
  if (connection.destroyed) gone.abort(new ClientGone());
  else connection.once("close", () => gone.abort(new ClientGone()));
  return gone.signal;
}

import type { EventEmitter } from "node:events";
import { ClientGone } from "../publishers/fanout/subscriber.ts";

type Connection = EventEmitter & { readonly destroyed: boolean };

/** One for each connection, which may carry many requests at once: each would add a listener of its own. */
const signals = new WeakMap<Connection, AbortSignal>();

/** Aborts with ClientGone when the response, or the socket, closes: nobody waits for an answer any more. */
export function goneSignal(connection: Connection): AbortSignal {
  const known = signals.get(connection);
  if (known !== undefined) return known;
  const gone = new AbortController();
  if (connection.destroyed) gone.abort(new ClientGone());
  else connection.once("close", () => gone.abort(new ClientGone()));
  signals.set(connection, gone.signal);
  return gone.signal;
}

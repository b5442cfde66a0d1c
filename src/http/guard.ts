import type { IncomingMessage } from "node:http";
import { isLoopback } from "../shared/loopback.ts";
import { Forbidden } from "./errors.ts";

/**
 * A page can have its own name resolve to 127.0.0.1 and then counts as this server's own; the name gives it away.
 * @throws Forbidden where a request for another name reached a server meant for this machine alone.
 */
export function assertLoopbackName({ headers: { host } }: IncomingMessage): void {
  if (
    host === undefined ||
    (URL.canParse(`http://${host}`) && isLoopback(new URL(`http://${host}`).hostname))
  )
    return;
  throw new Forbidden(`Requests for ${host.slice(0, 100)} are not answered on a loopback address`, {
    hint: "Ask for 127.0.0.1 or localhost; behind a proxy let it set Host so, or pass --insecure-no-auth",
  });
}

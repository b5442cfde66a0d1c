import { BlockList, isIP } from "node:net";
import type { IncomingMessage } from "node:http";
import { Forbidden } from "./errors.ts";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Whether only this machine's own processes reach the host. IPv6 addresses with or without brackets. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, "$1");
  const family = isIP(name);
  if (family === 0) return name === "localhost" || name.endsWith(".localhost");
  return LOOPBACK.check(name, family === 6 ? "ipv6" : "ipv4");
}

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

import { BlockList, isIP } from "node:net";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Whether only this machine's own processes reach the host. IPv6 addresses with or without brackets. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  const family = isIP(name);
  // RFC 6761: these names mean this machine, whoever is asked.
  if (family === 0) return name === "localhost" || name.endsWith(".localhost");
  return LOOPBACK.check(name, family === 6 ? "ipv6" : "ipv4");
}

/** The one address to listen on for a host: no resolver decides where a name of this machine leads. */
export function listenAddress(host: string): string {
  return isIP(host) === 0 && isLoopback(host) ? "127.0.0.1" : host;
}

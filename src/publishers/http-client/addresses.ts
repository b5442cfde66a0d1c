import { lookup, type LookupAddress, type LookupAllOptions } from "node:dns";
import type { LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";

/** A name, or an address in place of one, that leads to where nothing may be sent. */
export class PrivateAddress extends Error {
  readonly code = "PRIVATE_ADDRESS";

  constructor(host: string, address: string) {
    const is = host === address ? "is" : `leads to ${address}, which is`;
    super(`${host} ${is} no public address; allowPrivate: true lets it be sent to`);
  }
}

/** Global unicast: what is assigned to the public lies in it. */
const PUBLIC_V6 = ipaddr.IPv6.parseCIDR("2000::/3");
/** NAT64's well-known prefix: the last four bytes are the IPv4 address that is reached. */
const NAT64 = ipaddr.IPv6.parseCIDR("64:ff9b::/96");
/** Azure answers every virtual machine's questions about itself at this public address. */
const AZURE_METADATA = "168.63.129.16";

/**
 * Whether the internet routes to it: not to this host, its network, a cloud's metadata, or many. An IPv4 address within
 * an IPv6 one counts as itself.
 */
export function isPublic(address: string): boolean {
  const parsed = ipaddr.parse(address);
  if (parsed instanceof ipaddr.IPv4) return isPublicV4(parsed);
  if (parsed.isIPv4MappedAddress()) return isPublicV4(parsed.toIPv4Address());
  if (parsed.match(NAT64)) return isPublicV4(new ipaddr.IPv4(parsed.toByteArray().slice(-4)));
  return parsed.match(PUBLIC_V6) && parsed.range() === "unicast";
}

function isPublicV4(address: ipaddr.IPv4): boolean {
  return address.range() === "unicast" && address.toString() !== AZURE_METADATA;
}

/** What looks names up: by default as every program of this machine does. */
export type Resolve = (
  host: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A lookup for `net.connect`, which connects to what it answers and asks nobody again: a name that leads elsewhere
 * between a check and the connection gains nothing by it. Where one of its addresses is not public, none is used.
 */
export function publicLookup(resolve: Resolve = lookup): LookupFunction {
  return (host, options, done) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      const inside = addresses?.find(({ address }) => !isPublic(address));
      if (error !== null) done(error, "");
      else if (inside !== undefined) done(new PrivateAddress(host, inside.address), "");
      else if (options.all === true) done(null, addresses);
      else done(null, first?.address ?? "", first?.family);
    });
  };
}

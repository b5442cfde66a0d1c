import type { FastifyRequest } from "fastify";

/**
 * The address that whoever asks sees this server at, as far as it and the proxies before it say:
 * `https://host/feeds/prod`. For examples that people copy, and for nothing else: anybody may send these headers.
 */
export function askedAddress({ headers, host, protocol }: FastifyRequest): string {
  const said = (name: string, allowed: RegExp) => {
    const value = String(headers[name] ?? "");
    return allowed.test(value) ? value : undefined;
  };
  const scheme = said("x-forwarded-proto", /^https?$/) ?? protocol;
  const authority = said("x-forwarded-host", /^[\w.:[\]-]+$/) ?? host;
  const path = said("x-forwarded-prefix", /^(\/[\w.~-]+)+$/) ?? "";
  return `${scheme}://${authority}${path}`;
}

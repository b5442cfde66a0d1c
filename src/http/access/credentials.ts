import type { IncomingMessage } from "node:http";
import { TICKET_PARAMETER, urlOf } from "../request-url.ts";
import { InvalidParameter } from "../../schemas/subscription-schema.ts";

/** What a request proves who it is with. */
export interface Credentials {
  readonly token?: string;
  readonly ticket?: string;
}

const BEARER_PROTOCOL = "bearer.";

/** Names under which people try to send a token in a URL. */
const TOKEN_PARAMETERS = new Set([
  "token",
  "access_token",
  "accesstoken",
  "auth",
  "auth_token",
  "authorization",
  "bearer",
  "api_key",
  "apikey",
  "nomad_token",
  "x-nomad-token",
  "secret",
  "secretid",
  "secret_id",
]);

/**
 * The token by `Authorization: Bearer`, `X-Nomad-Token` or the subprotocol `bearer.<base64url>`; or the ticket.
 * @throws InvalidParameter where there are two that differ, or a token in the query string.
 */
export function credentialsOf(request: IncomingMessage): Credentials {
  const { searchParams } = urlOf(request);
  for (const name of searchParams.keys()) {
    if (TOKEN_PARAMETERS.has(name.toLowerCase())) throw tokenInUrl(name);
  }
  const tokens = new Set(
    [bearerOf(request), nomadTokenOf(request), protocolTokenOf(request)].filter((text) => text !== undefined),
  );
  const [token] = tokens;
  const tickets = searchParams.getAll(TICKET_PARAMETER);
  if (tokens.size > 1 || tickets.length > 1 || (token !== undefined && tickets.length > 0)) {
    throw new InvalidParameter("The request brings more than one token or ticket", "Authorization", [
      "one token, or one ticket",
    ]);
  }
  const [ticket] = tickets;
  return { ...(token !== undefined && { token }), ...(ticket !== undefined && { ticket }) };
}

/** A URL as logs may have it: without what could be a secret. */
export function loggableUrl(url: string | undefined): string {
  const [path = "/", query] = (url ?? "/").split("?", 2);
  if (query === undefined) return path;
  const kept = query.split("&").map((part) => {
    // As the name is read, however it is written.
    const [name = ""] = new URLSearchParams(part).keys();
    const known = name.toLowerCase();
    return known === TICKET_PARAMETER || TOKEN_PARAMETERS.has(known) ? `${known}=[redacted]` : part;
  });
  return `${path}?${kept.join("&")}`;
}

function tokenInUrl(name: string): InvalidParameter {
  return new InvalidParameter(
    `A token does not belong in the URL (${name.slice(0, 30)}): URLs end up in logs and histories`,
    name.slice(0, 30),
    ["Authorization: Bearer <token>", "the subprotocol bearer.<base64url of the token>", "ticket=<ticket>"],
  );
}

function bearerOf({ headers: { authorization } }: IncomingMessage): string | undefined {
  // Another scheme is for a proxy on the way.
  const match = /^bearer +(\S.*)$/i.exec(authorization?.trim() ?? "");
  return match?.[1];
}

function nomadTokenOf({ headers }: IncomingMessage): string | undefined {
  const value = headers["x-nomad-token"];
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}

function protocolTokenOf({ headers }: IncomingMessage): string | undefined {
  const offered = headers["sec-websocket-protocol"]?.split(",") ?? [];
  const bearer = offered.map((text) => text.trim()).find((text) => text.startsWith(BEARER_PROTOCOL));
  if (bearer === undefined) return undefined;
  return Buffer.from(bearer.slice(BEARER_PROTOCOL.length), "base64url").toString("utf8");
}

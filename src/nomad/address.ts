import { hideSecrets, isCutPassword } from "../schemas/address-text.ts";
import { isLoopback } from "../shared/loopback.ts";
import { NomadOptionInvalid } from "./errors.ts";
import { Secret } from "./secret.ts";

/** One agent's HTTP API. */
export interface NomadAddress {
  /** For people: `https://nomad.example:4646` or `unix:///path`, without credentials. */
  readonly display: string;
  /** Scheme, host and port of the requests. */
  readonly origin: string;
  readonly secure: boolean;
  readonly socketPath: string | undefined;
  /** Whether the agent is on this machine. */
  readonly local: boolean;
  /** A path that was given and is not asked under. */
  readonly droppedPath: string | undefined;
  /** Value of the Authorization header. */
  readonly authorization: Secret | undefined;
}

/**
 * Takes addresses apart as Nomad's own client does: the path is dropped, credentials become basic
 * authentication and win over `httpAuth`, a socket is asked under the host 127.0.0.1.
 * @throws NomadOptionInvalid for what is no http, https or unix URL.
 */
export function parseAddresses(entries: readonly string[], httpAuth: string | undefined): NomadAddress[] {
  return entries
    .flatMap((entry) => entry.split(/,(?=\s*[a-z][a-z0-9+.-]*:\/\/|\s*$)/i))
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .map((text) => parseAddress(text, httpAuth));
}

function parseAddress(text: string, httpAuth: string | undefined): NomadAddress {
  if (text.startsWith("unix://")) return parseSocket(text, httpAuth);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) throw notAnAddress(text);
  if (isCutPassword(url)) throw notAnAddress(text);
  return {
    display: url.origin,
    origin: url.origin,
    secure: url.protocol === "https:",
    socketPath: undefined,
    droppedPath: url.pathname === "/" ? undefined : url.pathname,
    local: isLoopback(url.hostname),
    authorization: basicAuthorization(credentialsOf(url, text) ?? httpAuth),
  };
}

function parseSocket(text: string, httpAuth: string | undefined): NomadAddress {
  const socketPath = text.slice("unix://".length);
  if (!socketPath.startsWith("/")) throw notAnAddress(text);
  return {
    display: text,
    origin: "http://127.0.0.1",
    secure: false,
    socketPath,
    droppedPath: undefined,
    local: true,
    authorization: basicAuthorization(httpAuth),
  };
}

/** `user:password` of the URL; either may hold anything, percent-encoded. */
function credentialsOf(url: URL, text: string): string | undefined {
  if (url.username === "" && url.password === "") return undefined;
  try {
    return `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  } catch {
    throw notAnAddress(text);
  }
}

function basicAuthorization(credentials: string | undefined): Secret | undefined {
  if (credentials === undefined) return undefined;
  const pair = credentials.includes(":") ? credentials : `${credentials}:`;
  return new Secret(`Basic ${Buffer.from(pair).toString("base64")}`);
}

function notAnAddress(text: string): NomadOptionInvalid {
  const shown = hideSecrets(text);
  return new NomadOptionInvalid(
    "addresses",
    `"${shown}" is no address of Nomad; allowed are http://host:port, https://host:port and unix:///path`,
  );
}

import { GO_BOOLEANS } from "../shared/go-booleans.ts";
import { parseAddresses, type NomadAddress } from "./address.ts";
import type { Consistency } from "./api.ts";
import { NomadOptionInvalid } from "./errors.ts";
import { isToken, Secret } from "./secret.ts";

/** How to reach Nomad, as people write it. Empty texts count as absent; files are not read yet. */
export interface RawNomadOptions {
  /** `http://…`, `https://…` or `unix:///path`; one entry may hold several, comma between. Default: the local agent. */
  readonly addresses?: readonly string[];
  readonly region?: string;
  readonly token?: string;
  /** Read again whenever it changes. */
  readonly tokenFile?: string;
  /** `user` or `user:password`, for a proxy before Nomad; credentials in an address win. */
  readonly httpAuth?: string;
  /** PEM file; wins over `caPath`, a directory of PEM files. Neither: the system's authorities. */
  readonly caCert?: string;
  readonly caPath?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly tlsServerName?: string;
  /** A text as Go's ParseBool takes it; any other is ignored, as the official client does. */
  readonly skipVerify?: string | boolean;
  readonly consistency?: Consistency;
  /** "auto": gzip, but not on this machine. */
  readonly compression?: Compression;
  /** Oldest contact with the leader a stale answer may have, ms. */
  readonly maxStaleMs?: number;
  /** Connections to one address; a blocking query holds one as long as it waits. */
  readonly maxConnections?: number;
  /** Largest decompressed body, bytes. */
  readonly maxBodyBytes?: number;
  /** For the headers of an answer that Nomad need not hold, ms. */
  readonly requestTimeoutMs?: number;
  /** For the whole body once the headers are there, ms. */
  readonly bodyTimeoutMs?: number;
  /** From one piece of a body to the next, ms. */
  readonly stallTimeoutMs?: number;
  /** For the first line of an event stream, which Nomad sends at once, ms. */
  readonly firstLineMs?: number;
  /** After which an event stream, which has a heartbeat every 30 s, counts as ended, ms. */
  readonly streamSilenceMs?: number;
  /** What an answer to a blocking query may take beyond all that Nomad itself may take, ms. */
  readonly deadlineMarginMs?: number;
}

export type Compression = "auto" | "gzip" | "none";

export type TokenSource =
  | { readonly kind: "none" }
  | { readonly kind: "fixed"; readonly token: Secret }
  | { readonly kind: "file"; readonly path: string };

/** Paths of PEM files, used for https addresses only. */
export interface TlsOptions {
  readonly caCert: string | undefined;
  readonly caPath: string | undefined;
  readonly clientCert: string | undefined;
  readonly clientKey: string | undefined;
  readonly serverName: string | undefined;
  readonly skipVerify: boolean;
}

/** What `createNomadClient` takes: checked, with defaults, secrets wrapped. */
export interface NomadClientOptions {
  /** At least one; the first that works is kept to. */
  readonly addresses: readonly NomadAddress[];
  readonly region: string | undefined;
  readonly token: TokenSource;
  readonly tls: TlsOptions;
  readonly consistency: Consistency;
  readonly compression: Compression;
  readonly maxStaleMs: number;
  readonly maxConnections: number;
  readonly maxBodyBytes: number;
  readonly requestTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly firstLineMs: number;
  readonly streamSilenceMs: number;
  readonly deadlineMarginMs: number;
}

const DEFAULT_ADDRESS = "http://127.0.0.1:4646";

/**
 * Checks the options and fills in the defaults; reads nothing.
 * @throws NomadOptionInvalid naming the option and what it allows.
 */
export function resolveNomadOptions(raw: RawNomadOptions): NomadClientOptions {
  const addresses = parseAddresses(raw.addresses ?? [], given(raw.httpAuth));
  return {
    addresses: addresses.length === 0 ? parseAddresses([DEFAULT_ADDRESS], given(raw.httpAuth)) : addresses,
    region: given(raw.region),
    token: tokenSource(raw),
    tls: tlsOptions(raw),
    consistency: raw.consistency ?? "default",
    compression: raw.compression ?? "auto",
    maxStaleMs: atLeast(0, "maxStaleMs", raw.maxStaleMs ?? 5_000),
    maxConnections: atLeast(1, "maxConnections", raw.maxConnections ?? 80),
    maxBodyBytes: atLeast(1, "maxBodyBytes", raw.maxBodyBytes ?? 1024 ** 3),
    requestTimeoutMs: atLeast(1, "requestTimeoutMs", raw.requestTimeoutMs ?? 30_000),
    bodyTimeoutMs: atLeast(1, "bodyTimeoutMs", raw.bodyTimeoutMs ?? 120_000),
    stallTimeoutMs: atLeast(1, "stallTimeoutMs", raw.stallTimeoutMs ?? 20_000),
    firstLineMs: atLeast(1, "firstLineMs", raw.firstLineMs ?? 10_000),
    streamSilenceMs: atLeast(1, "streamSilenceMs", raw.streamSilenceMs ?? 45_000),
    deadlineMarginMs: atLeast(0, "deadlineMarginMs", raw.deadlineMarginMs ?? 5_000),
  };
}

function tokenSource(raw: RawNomadOptions): TokenSource {
  const path = given(raw.tokenFile);
  if (path !== undefined) return { kind: "file", path };
  const token = given(raw.token?.trim());
  if (token === undefined) return { kind: "none" };
  if (!isToken(token))
    throw new NomadOptionInvalid("token", "token holds characters no token has; allowed is visible ASCII");
  return { kind: "fixed", token: new Secret(token) };
}

function tlsOptions(raw: RawNomadOptions): TlsOptions {
  const clientCert = given(raw.clientCert);
  const clientKey = given(raw.clientKey);
  if ((clientCert === undefined) !== (clientKey === undefined)) {
    throw new NomadOptionInvalid(
      clientCert === undefined ? "clientCert" : "clientKey",
      "Both client cert and client key must be provided",
    );
  }
  return {
    caCert: given(raw.caCert),
    caPath: given(raw.caPath),
    clientCert,
    clientKey,
    serverName: given(raw.tlsServerName),
    skipVerify: raw.skipVerify === true || GO_BOOLEANS.get(String(raw.skipVerify)) === true,
  };
}

function given(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function atLeast(minimum: number, option: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= minimum) return value;
  throw new NomadOptionInvalid(option, `${option} is ${value}; allowed is a whole number from ${minimum}`);
}

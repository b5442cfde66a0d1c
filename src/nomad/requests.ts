import type { Headers } from "./exchange.ts";
import type { NomadError } from "./errors.ts";
import type { Secret } from "./secret.ts";

/** As pairs where a parameter is given more than once. */
type Query = Readonly<Record<string, string>> | readonly [string, string][];

export interface NomadRequest {
  /** Path with its ids percent-encoded, without query. */
  readonly path: string;
  readonly query?: Query;
  /** Nomad's capability for it, for the hint of a refusal. */
  readonly capability?: string;
  readonly namespace?: string;
  /** Longest time to the headers, ms. Default: `requestTimeoutMs`. */
  readonly headersTimeoutMs?: number;
  /** Size of the body, if it is like the last one. */
  readonly likelyBytes?: number;
  /** Rests while it reads the body, so that others get on. */
  readonly unhurried?: boolean;
  /** Somebody else's token, in place of the client's own. */
  readonly token?: Secret;
  readonly signal: AbortSignal;
}

export interface NomadResponse {
  readonly status: number;
  readonly headers: Headers;
  /** Whole and decoded. */
  readonly body: Buffer;
  readonly address: string;
  /** `GET /v1/jobs?namespace=default`. */
  readonly what: string;
  /** From sending the request to the whole answer, ms. */
  readonly elapsedMs: number;
  /** From the answer's first byte to the whole answer, ms: how long the query was held is not in it. */
  readonly readMs: number;
  /** What was sent as token: an ACL token's UUID, or something else, such as a task's JWT. */
  readonly token: "none" | "uuid" | "other";
  /** What the status means, where it is not 200. */
  readonly refusal: NomadError | undefined;
}

export interface StreamRequest {
  readonly path: string;
  readonly query: Query;
  readonly capability: string;
  /** Longest time to the first piece of the body, ms. */
  readonly firstMs: number;
  /** Longest time from one piece of the body to the next, ms. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
}

/** An answer with status 200 whose body goes on for as long as nobody ends it. */
export interface NomadStream {
  /** As it arrives. Rejects with ExchangeFailed, also where it stands still for too long. */
  readonly body: AsyncIterable<Buffer>;
  readonly address: string;
  /** `GET /v1/event/stream?topic=Job`. */
  readonly what: string;
  /** What a message may show of bytes from the body. */
  printable(bytes: Buffer): string;
  /** Ends the connection; call it once. */
  close(): void;
}

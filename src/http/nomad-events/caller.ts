import { createHash } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { Namespaces, StreamRequest } from "../../publishers/nomad-events/selection.ts";
import type { TokenRights } from "../../schemas/rights.ts";
import { deadlineOf, type Clock } from "../../shared/clock.ts";
import type { Denial } from "./denial.ts";
import type { NomadUpstream } from "./upstream.ts";

export interface CallerDeps {
  readonly upstream: NomadUpstream;
  readonly rightsOf: (token: string | undefined, signal: AbortSignal) => Promise<TokenRights>;
  readonly clock: Clock;
}

/** How Nomad answered to the caller's own request. */
export type Verdict =
  | { readonly kind: "allowed"; readonly head: IncomingHttpHeaders }
  /** 200 where Nomad answers so before it looks at the token. */
  | ({ readonly kind: "denied" } & Denial)
  | { readonly kind: "unreachable"; readonly reason: string };

/** Beyond every index: Nomad repeats its last frame, and no more. */
const BEYOND = String(Number.MAX_SAFE_INTEGER);
/** Nomad sends it at once, unless it denies. */
const FIRST_LINE_MS = 10_000;
const MAX_REASON_BYTES = 64 * 1024;
const PASSED_ON = ["authorization", "x-nomad-token", "accept", "accept-encoding", "user-agent"] as const;

/**
 * Who asks for the stream. Nomad itself is asked with the caller's token and the caller's words whether they may have
 * it, so that whoever may not hears exactly what Nomad says.
 */
export class Caller {
  readonly #deps: CallerDeps;
  readonly #path: string;
  readonly #headers: OutgoingHttpHeaders;
  readonly #token: string | undefined;
  readonly #request: StreamRequest;
  #namespaces: Namespaces = new Set();

  constructor(message: IncomingMessage, query: URLSearchParams, request: StreamRequest, deps: CallerDeps) {
    this.#deps = deps;
    this.#request = request;
    const asked = new URLSearchParams(query);
    asked.set("index", BEYOND);
    this.#path = `/v1/event/stream?${asked.toString()}`;
    this.#headers = Object.fromEntries(
      PASSED_ON.flatMap((name) =>
        message.headers[name] === undefined ? [] : [[name, message.headers[name]]],
      ),
    );
    this.#token = tokenOf(message);
  }

  /** The same for the same request of the same token; tells nothing of it. */
  get fingerprint(): string {
    return createHash("sha256")
      .update(JSON.stringify([this.#path, this.#headers]))
      .digest("base64");
  }

  takeNamespacesOf(other: Caller): void {
    this.#namespaces = other.namespaces;
  }

  /** Those whose events the caller may have, as of the last `check`. */
  get namespaces(): Namespaces {
    return this.#namespaces;
  }

  /** Asks Nomad. `onHead` hears the head of a 200 before it is known whether it is one. */
  async check(
    signal: AbortSignal,
    onHead: (head: IncomingHttpHeaders) => void = () => undefined,
  ): Promise<Verdict> {
    using deadline = deadlineOf(this.#deps.clock, FIRST_LINE_MS);
    const both = AbortSignal.any([signal, deadline.signal]);
    let answer: IncomingMessage;
    try {
      answer = await this.#deps.upstream.get(this.#path, this.#headers, both);
    } catch (error) {
      signal.throwIfAborted();
      return { kind: "unreachable", reason: error instanceof Error ? error.message : String(error) };
    }
    try {
      if (answer.statusCode === 200) onHead(answer.headers);
      const body = await firstOf(answer, answer.statusCode === 200 ? 1 : MAX_REASON_BYTES);
      const isDenied = answer.statusCode !== 200 || body.length === 0;
      if (isDenied) return { kind: "denied", status: answer.statusCode ?? 500, head: answer.headers, body };
      this.#namespaces = await this.#allowedNamespaces(both);
      return { kind: "allowed", head: answer.headers };
    } catch (error) {
      signal.throwIfAborted();
      return { kind: "unreachable", reason: error instanceof Error ? error.message : String(error) };
    } finally {
      answer.destroy();
    }
  }

  /** Whether there is a token, and Nomad does not know it. */
  async isStranger(signal: AbortSignal): Promise<boolean> {
    if (this.#token === undefined) return false;
    const { kind } = await this.#deps.rightsOf(this.#token, signal);
    return kind === "unknown" || kind === "expired";
  }

  /** All there are and were, for those who may see everything; else those that Nomad would choose from now. */
  async #allowedNamespaces(signal: AbortSignal): Promise<Namespaces> {
    const { namespace } = this.#request;
    if (namespace !== "*") return new Set([namespace]);
    const rights = await this.#deps.rightsOf(this.#token, signal);
    if (rights.kind === "acls-off" || (rights.kind === "known" && rights.manages === true)) return "all";
    const answer = await this.#deps.upstream.get("/v1/namespaces", this.#headers, signal);
    const listed: unknown = JSON.parse((await firstOf(answer, Number.MAX_SAFE_INTEGER)).toString());
    return new Set((listed as { Name: string }[]).map(({ Name }) => Name));
  }
}

/** As Nomad looks for it. */
function tokenOf({ headers }: IncomingMessage): string | undefined {
  const own = headers["x-nomad-token"];
  if (typeof own === "string" && own !== "") return own;
  return /^Bearer\s+(\S+)/i.exec(headers.authorization ?? "")?.[1];
}

/** The first bytes of the body, as many as come before it ends, fails, or there are enough. */
async function firstOf(answer: IncomingMessage, enough: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes >= enough) break;
    }
  } catch {
    // One that is denied may be cut off, or never end: what came counts.
  }
  return Buffer.concat(chunks);
}

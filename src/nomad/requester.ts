import type { Logger } from "../telemetry/logger.ts";
import type { NomadAddress } from "./address.ts";
import { decodeBody } from "./body.ts";
import { Connections } from "./connections.ts";
import { NomadError } from "./errors.ts";
import { exchange, type Headers, type RawResponse } from "./exchange.ts";
import { chunksOf, openBody, startOf } from "./open-body.ts";
import type { NomadClientOptions, Compression } from "./options.ts";
import type { Clock } from "../shared/clock.ts";
import { printable, READ_TEXT_BYTES, secretsOf } from "./printable.ts";
import { parseRetryAfter } from "../shared/retry-after.ts";
import type { NomadRequest, NomadResponse, NomadStream, StreamRequest } from "./requests.ts";
import { statusError, type Asked } from "./status-errors.ts";
import { createTokenReader, type TokenReader } from "./token.ts";
import { plainConnector, tlsConnector } from "./tls.ts";
import { transportError } from "./transport-errors.ts";

export interface RequesterDeps {
  readonly logger: Logger;
  readonly clock: Clock;
}

/** How one attempt went, where Nomad answered. */
interface Answered {
  readonly refusal: NomadError | undefined;
}

type Attempt<Answer> = (agent: Agent, asked: Asked, token: string | undefined) => Promise<Answer>;

interface Agent {
  readonly address: NomadAddress;
  readonly connections: Connections;
}

/** Another address may do better: this one is not there, or has no way to a leader. */
const MOVE_ON = new Set(["NOMAD_UNREACHABLE", "NOMAD_TLS", "NOMAD_TOO_MANY_CONNECTIONS", "NOMAD_NO_LEADER"]);

/**
 * Asks Nomad over HTTP: the token, the connections, the addresses. Keeps to the address that works; where one
 * fails, the request goes to each of the others once. A timeout moves on too, but with the next request: the
 * time for this one is spent.
 */
export class Requester {
  readonly #options: NomadClientOptions;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #agents: readonly Agent[];
  readonly #token: TokenReader;
  #preferred = 0;

  /** @throws NomadOptionInvalid where a file of the TLS options cannot be used. */
  constructor(options: NomadClientOptions, { logger, clock }: RequesterDeps) {
    this.#options = options;
    this.#logger = logger;
    this.#clock = clock;
    this.#token = createTokenReader(options.token, logger);
    this.#agents = openAgents(options, logger);
  }

  /** Rejects with a NomadError where no whole answer came, or with the signal's reason. */
  send(request: NomadRequest): Promise<NomadResponse> {
    return this.#ask(request, async (agent, asked, token) => {
      const response = await this.#exchange(agent, asked, request, token);
      return this.#toResponse(agent, asked, response, token);
    });
  }

  /** Rejects with a NomadError where no answer came, or a refusal, or with the signal's reason. */
  async open(request: StreamRequest): Promise<NomadStream> {
    const { refusal, stream } = await this.#ask(request, (agent, asked, token) =>
      this.#open(agent, asked, request, token),
    );
    if (stream === undefined) throw refusal;
    return stream;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#agents.map(({ connections }) => connections[Symbol.asyncDispose]()));
  }

  /** Whether there is another address to turn to after this error. */
  #moveOn(failed: number, error: NomadError): boolean {
    const gateway = error.status !== undefined && error.status >= 502 && error.status <= 504;
    const worthwhile = MOVE_ON.has(error.code) || error.code === "NOMAD_TIMEOUT" || gateway;
    if (!worthwhile || this.#agents.length === 1) return false;
    if (this.#preferred === failed) {
      this.#preferred = (failed + 1) % this.#agents.length;
      const next = this.#agents[this.#preferred] as Agent;
      this.#logger.info(
        { code: error.code, address: next.address.display },
        "switching to another Nomad address",
      );
    }
    return true;
  }

  async #ask<Answer extends Answered>(request: NomadRequest, attempt: Attempt<Answer>): Promise<Answer> {
    const first = this.#preferred;
    for (let tried = 1; ; tried += 1) {
      const position = (first + tried - 1) % this.#agents.length;
      const outcome = await this.#attempt(this.#agents[position] as Agent, request, attempt);
      const error = outcome instanceof NomadError ? outcome : outcome.refusal;
      const another = error !== undefined && this.#moveOn(position, error);
      if (another && error.code !== "NOMAD_TIMEOUT" && tried < this.#agents.length) continue;
      if (outcome instanceof NomadError) throw outcome;
      return outcome;
    }
  }

  async #attempt<Answer>(
    agent: Agent,
    request: NomadRequest,
    attempt: Attempt<Answer>,
  ): Promise<Answer | NomadError> {
    const token = (request.token ?? (await this.#token()))?.reveal();
    const asked = this.#asked(request, token !== undefined);
    try {
      return await attempt(agent, asked, token);
    } catch (failure) {
      request.signal.throwIfAborted();
      if (failure instanceof NomadError) throw failure;
      return transportError(asked.what, agent.address.display, failure);
    }
  }

  async #exchange(
    agent: Agent,
    asked: Asked,
    request: NomadRequest,
    token: string | undefined,
  ): Promise<RawResponse> {
    const connection = await agent.connections.take(request.signal);
    let whole = false;
    try {
      const sent = {
        path: asked.what.slice("GET ".length),
        headers: headersFor(agent.address, token, this.#options.compression),
        headersTimeoutMs: request.headersTimeoutMs ?? this.#options.requestTimeoutMs,
        bodyTimeoutMs: this.#options.bodyTimeoutMs,
        stallTimeoutMs: this.#options.stallTimeoutMs,
        maxBodyBytes: this.#options.maxBodyBytes,
        likelyBytes: request.likelyBytes ?? 0,
        unhurried: request.unhurried ?? false,
        signal: request.signal,
      };
      const response = await exchange(connection, sent, this.#clock);
      whole = true;
      return response;
    } finally {
      agent.connections.giveBack(connection, whole);
    }
  }

  async #toResponse(
    agent: Agent,
    asked: Asked,
    response: RawResponse,
    token: string | undefined,
  ): Promise<NomadResponse> {
    const { status, headers } = response;
    const address = agent.address.display;
    const encoding = header(headers, "content-encoding");
    const body = await decodeBody(response.body, encoding, this.#options.maxBodyBytes).catch(
      (damage: unknown) => {
        // The status of a refusal says enough, also where a proxy's error page cannot be read.
        if (status === 200) throw damage;
        return Buffer.alloc(0);
      },
    );
    const nowMs = this.#clock.elapsed();
    const [elapsedMs, readMs] = [nowMs - response.sentAtMs, nowMs - response.answeredAtMs];
    const refusal = refusalOf({ agent, asked, token, status, headers, body, heldMs: elapsedMs });
    const what = asked.what;
    return { status, headers, body, address, what, elapsedMs, readMs, token: kindOf(token), refusal };
  }

  async #open(
    agent: Agent,
    asked: Asked,
    request: StreamRequest,
    token: string | undefined,
  ): Promise<Answered & { stream: NomadStream | undefined }> {
    const connection = await agent.connections.take(request.signal);
    const close = () => agent.connections.giveBack(connection, false);
    let stream: NomadStream | undefined;
    try {
      const beganMs = this.#clock.elapsed();
      const sent = {
        path: asked.what.slice("GET ".length),
        headers: headersFor(agent.address, token, "none"),
        headersTimeoutMs: this.#options.requestTimeoutMs,
        signal: request.signal,
      };
      const { status, headers, body } = await openBody(connection, sent, this.#clock);
      if (status === 200) {
        stream = {
          body: chunksOf(body, request, this.#clock),
          address: agent.address.display,
          what: asked.what,
          printable: (bytes) => printable(bytes, secretsOf(agent.address, token)),
          close,
        };
        return { refusal: undefined, stream };
      }
      // The status says enough, also where the body breaks off.
      const text = await startOf(body, READ_TEXT_BYTES).catch(() => Buffer.alloc(0));
      const heldMs = this.#clock.elapsed() - beganMs;
      return { refusal: refusalOf({ agent, asked, token, status, headers, body: text, heldMs }), stream };
    } finally {
      if (stream === undefined) close();
    }
  }

  #asked(request: NomadRequest, tokenSent: boolean): Asked {
    const parameters = new URLSearchParams(request.query);
    if (this.#options.region !== undefined) parameters.set("region", this.#options.region);
    const query = parameters.toString();
    const { capability, namespace, path } = request;
    return { what: `GET ${path}${query === "" ? "" : `?${query}`}`, capability, namespace, tokenSent };
  }
}

/** What an answer's status means; undefined for 200. */
function refusalOf(answer: {
  readonly agent: Agent;
  readonly asked: Asked;
  readonly token: string | undefined;
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  readonly heldMs: number;
}): NomadError | undefined {
  const { agent, asked, token, status, headers, body, heldMs } = answer;
  if (status === 200) return undefined;
  return statusError(asked, {
    status,
    text: printable(body, secretsOf(agent.address, token)),
    address: agent.address.display,
    droppedPath: agent.address.droppedPath,
    heldMs,
    retryAfterMs: parseRetryAfter(header(headers, "retry-after"), header(headers, "date")),
  });
}

/** The first value of a header, or undefined. */
export function header(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function openAgents(options: NomadClientOptions, logger: Logger): Agent[] {
  const secure = options.addresses.some((address) => address.secure)
    ? tlsConnector(options.tls, logger)
    : undefined;
  return options.addresses.map((address) => ({
    address,
    connections: new Connections(
      address.origin,
      (address.secure ? secure : undefined) ?? plainConnector(address.socketPath),
      options.maxConnections,
    ),
  }));
}

function headersFor(
  address: NomadAddress,
  token: string | undefined,
  compression: Compression,
): Record<string, string> {
  // Where no network lies between, compressing costs both sides more than it saves.
  const compressed = compression === "gzip" || (compression === "auto" && !address.local);
  return {
    accept: "application/json",
    "accept-encoding": compressed ? "gzip" : "identity",
    "user-agent": "nomad-changefeed",
    ...(token === undefined ? {} : { "x-nomad-token": token }),
    ...(address.authorization === undefined ? {} : { authorization: address.authorization.reveal() }),
  };
}

function kindOf(token: string | undefined): NomadResponse["token"] {
  if (token === undefined) return "none";
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(token) ? "uuid" : "other";
}

import { Agent as PlainAgent, request, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { Agent as TlsAgent, request as requestTls } from "node:https";
import type { Logger } from "../telemetry/logger.ts";
import type { NomadAddress } from "./address.ts";
import type { NomadClientOptions } from "./options.ts";
import { secureContextOf } from "./tls.ts";

/** One of Nomad's addresses, for requests of others. */
export interface UpstreamTarget {
  readonly display: string;
  readonly url: URL;
  readonly socketPath: string | undefined;
  readonly agent: PlainAgent;
  readonly secure: boolean;
  readonly skipVerify: boolean;
  /** For a proxy before Nomad. */
  readonly authorization: string | undefined;
}

/**
 * Nomad's addresses, for requests that are passed on as they came: with the token of whoever asks, never with ours. It
 * keeps to the address that works.
 */
export class Upstream implements Disposable {
  readonly #targets: readonly UpstreamTarget[];
  readonly #logger: Logger;
  #preferred = 0;

  /** @throws NomadOptionInvalid where a file of the TLS options cannot be used. */
  constructor(options: NomadClientOptions, logger: Logger) {
    this.#targets = options.addresses.map((address) => targetOf(address, options));
    this.#logger = logger;
  }

  get target(): UpstreamTarget {
    return this.#targets[this.#preferred] as UpstreamTarget;
  }

  /** The next request goes to another address, where there is one. */
  failed({ display }: Pick<UpstreamTarget, "display">): void {
    if (display !== this.target.display || this.#targets.length === 1) return;
    this.#preferred = (this.#preferred + 1) % this.#targets.length;
    this.#logger.info({ address: this.target.display }, "switching to another Nomad address");
  }

  /** The answer, once its head is there. Rejects with why there is none. */
  async get(path: string, headers: OutgoingHttpHeaders, signal: AbortSignal): Promise<IncomingMessage> {
    let failure: unknown;
    for (const _ of this.#targets) {
      const { target } = this;
      try {
        return await answerOf(target, { path, headers, signal });
      } catch (error) {
        signal.throwIfAborted();
        failure = error;
        this.failed(target);
      }
    }
    throw failure;
  }

  [Symbol.dispose](): void {
    for (const { agent } of this.#targets) agent.destroy();
  }
}

function targetOf(
  { display, origin, secure, socketPath, authorization }: NomadAddress,
  { tls }: NomadClientOptions,
): UpstreamTarget {
  const agent = secure
    ? new TlsAgent({
        keepAlive: true,
        secureContext: secureContextOf(tls),
        rejectUnauthorized: !tls.skipVerify,
        ...(tls.serverName !== undefined && { servername: tls.serverName }),
      })
    : new PlainAgent({ keepAlive: true });
  return {
    display,
    url: new URL(origin),
    socketPath,
    agent,
    secure,
    skipVerify: tls.skipVerify,
    authorization: authorization?.reveal(),
  };
}

function answerOf(
  { url, socketPath, agent, secure, authorization }: UpstreamTarget,
  { path, headers, signal }: { path: string; headers: OutgoingHttpHeaders; signal: AbortSignal },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = secure ? requestTls : request;
    const asked = send(
      {
        protocol: url.protocol,
        host: url.hostname,
        port: url.port,
        ...(socketPath !== undefined && { socketPath }),
        path,
        agent,
        signal,
        headers: { ...(authorization !== undefined && { authorization }), ...headers, host: url.host },
      },
      resolve,
    );
    asked.once("error", reject);
    asked.end();
  });
}

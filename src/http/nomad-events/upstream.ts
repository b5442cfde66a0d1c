import type { Agent, IncomingMessage, OutgoingHttpHeaders } from "node:http";

/** One of Nomad's addresses. */
export interface NomadTarget {
  /** For people, without credentials. */
  readonly display: string;
  readonly url: URL;
  readonly socketPath: string | undefined;
  readonly agent: Agent;
  readonly secure: boolean;
  readonly skipVerify: boolean;
  readonly authorization: string | undefined;
}

/** Where requests are passed on to, with the token of whoever asks. */
export interface NomadUpstream {
  readonly target: NomadTarget;
  /** The next request goes to another address, where there is one. */
  failed(target: Pick<NomadTarget, "display">): void;
  /** The answer, once its head is there. Rejects with why there is none. */
  get(path: string, headers: OutgoingHttpHeaders, signal: AbortSignal): Promise<IncomingMessage>;
}

import { setTimeout as sleep } from "node:timers/promises";
import { Backoff } from "../../pollers/backoff.ts";
import { ChangefeedError } from "../../schemas/errors.ts";
import { FeedConnection, type Ending, type Position, type ServerError } from "./feed-connection.ts";

/** The server will not serve this stream, however often it is asked. */
export class StreamRefused extends ChangefeedError {
  readonly code = "STREAM_REFUSED";
  readonly retryable = false;
}

export interface FollowOptions {
  /** http(s):// or ws(s):// address of the server. */
  readonly url: string;
  /** Parameters of /v1/events; `cursor` and `since` say where to start. */
  readonly query: URLSearchParams;
  readonly signal: AbortSignal;
  /** An event of the log, as it came. Awaited before the next is handed over. */
  readonly onEvent: (json: string) => void | Promise<void>;
  /** Something to tell a person: connected, disconnected, a gap. */
  readonly onStatus: (status: FollowStatus) => void;
  /** A connection that was silent so long is given up, ms. The server says something every 15 s. */
  readonly silenceMs?: number;
  /** Asked for at each connection: a token may have been renewed. */
  readonly headers?: () => Readonly<Record<string, string>>;
  readonly backoff?: Backoff;
}

export type FollowStatus =
  | { readonly kind: "connected"; readonly again: boolean; readonly gap: boolean; readonly cursor: string }
  | {
      readonly kind: "disconnected";
      readonly reason: string;
      readonly retryInMs: number;
      readonly unreachable: boolean;
    }
  | { readonly kind: "expired"; readonly cursor: string };

/** After these, asking again is useless. */
const FINAL_CLOSE_CODES = [4400, 4401, 4403, 4409, 4412];
const FINAL_STATUSES = [400, 401, 403, 404, 409, 410, 412];

/**
 * Follows the feed over WebSocket until the stream's own limit or `signal` ends it, through every
 * disconnection, by cursor: nothing is missed and nothing repeated. Where retention has overtaken the reader,
 * says so and goes on from the earliest event.
 * @throws StreamRefused.
 */
export async function followFeed(options: FollowOptions): Promise<void> {
  const { signal, silenceMs = 45_000 } = options;
  const backoff = options.backoff ?? new Backoff({ baseMs: 500, maxMs: 5000, random: Math.random });
  const position: Position = { cursor: undefined };
  while (!signal.aborted) {
    const again = position.cursor !== undefined;
    const onHello = (hello: { cursor: string; gap: boolean }) => {
      backoff.reset();
      options.onStatus({ kind: "connected", again, ...hello });
    };
    const url = streamUrl(options, position);
    const handlers = { onHello, onEvent: options.onEvent };
    const headers = options.headers?.() ?? {};
    const connection = new FeedConnection(url, position, handlers, { silenceMs, headers });
    const next = decide(await connection.ended(signal), options, again);
    if (signal.aborted || next.kind === "done") return;
    if (next.kind === "expired") {
      options.onStatus({ kind: "expired", cursor: position.cursor ?? "" });
      position.cursor = "earliest";
      continue;
    }
    const retryInMs = backoff.next();
    options.onStatus({ ...next, kind: "disconnected", retryInMs });
    await sleep(retryInMs, undefined, { signal }).catch(() => undefined);
  }
}

type Next =
  | { readonly kind: "done" }
  | { readonly kind: "expired" }
  | { readonly kind: "retry"; readonly reason: string; readonly unreachable: boolean };

/** What to do after a connection ended. `resumed`: it was asked for with a cursor of ours, not the user's. */
function decide(ending: Ending, { url }: FollowOptions, resumed: boolean): Next {
  if (ending.kind === "closed") {
    const { code, error, opened } = ending;
    if (code === 1000) return { kind: "done" };
    if (code === 4410) return { kind: "expired" };
    if (FINAL_CLOSE_CODES.includes(code)) throw refused(error, `${url} closed the stream with ${code}`);
    return { kind: "retry", reason: error.message ?? `connection closed (${code})`, unreachable: !opened };
  }
  if (ending.kind === "foreign") throw refused({}, `${url} answers, but not with a feed`);
  const error = parseProblem(ending.body);
  if (ending.status === 410 && resumed) return { kind: "expired" };
  const answered = `${url} answered ${ending.status}`;
  if (FINAL_STATUSES.includes(ending.status)) throw refused(error, answered);
  return { kind: "retry", reason: error.message ?? answered, unreachable: false };
}

function refused(error: ServerError, otherwise: string): StreamRefused {
  const hint = error.message === undefined ? "Is this the address of a nomad-changefeed?" : error.hint;
  return new StreamRefused(error.message ?? otherwise, hint === undefined ? {} : { hint });
}

function streamUrl({ url, query }: FollowOptions, { cursor }: Position): string {
  const target = new URL(url);
  target.protocol = target.protocol.replace(/^http/, "ws");
  target.pathname = `${target.pathname.replace(/\/+$/, "")}/v1/events`;
  const parameters = new URLSearchParams(query);
  if (cursor !== undefined) {
    parameters.delete("since");
    parameters.set("cursor", cursor);
  }
  target.search = parameters.toString();
  return target.href;
}

function parseProblem(body: string): ServerError {
  try {
    return (JSON.parse(body) ?? {}) as ServerError;
  } catch {
    return {};
  }
}

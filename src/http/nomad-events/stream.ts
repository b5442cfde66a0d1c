import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { FrameGap, FrameStart } from "../../feed/frames/frame-starts.ts";
import type { FrameFeed } from "../../publishers/nomad-events/frame-feed.ts";
import type { StreamRequest } from "../../publishers/nomad-events/selection.ts";
import { sendFrames, type SubscriberEnd } from "../../publishers/nomad-events/subscriber.ts";
import { Alarm } from "../../shared/alarm.ts";
import { every, type Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { Caller, type CallerDeps, type Verdict } from "./caller.ts";
import { denialOf, type DenialForm } from "./denial.ts";
import type { RecentVerdicts } from "./recent-verdicts.ts";

export interface StreamDeps extends CallerDeps {
  readonly frames: {
    startOldest(what: "buffer" | "all"): FrameStart;
    startAt(index: number, withExtra: boolean, topics: Iterable<string>): FrameStart;
  };
  readonly feed: FrameFeed;
  /** Whether all events of the topics are being recorded, once that is known. */
  readonly covers: (topics: Iterable<string>) => Promise<boolean>;
  readonly replay: "buffer" | "all";
  readonly denials: DenialForm;
  readonly recent: RecentVerdicts;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "compatSubscribers" | "compatGaps">;
  readonly clock: Clock;
}

const HEARTBEAT = "{}\n";
const HEARTBEAT_MS = 30_000;
/** How long a client may take nothing; as Nomad's. */
const STALLED_MS = 40_000;
/** Nomad ends the stream of a token that expired before it sends the next event; nobody tells us when that is. */
const CHECK_EVERY_MS = 60_000;
/** Shorter than any time for which a topic is given up. */
const LOOK_EVERY_MS = 10_000;
/** An open stream ends where it is denied again after so long: a server that starts denies everybody. */
const DENIED_AGAIN_MS = 5_000;
/** Nomad's, but for what says how long the body is: that is up to us. */
const NOT_COPIED = new Set([
  "content-length",
  "transfer-encoding",
  "connection",
  "date",
  "keep-alive",
  "content-encoding",
]);

/** Answers one request for Nomad's event stream with what was recorded of it. */
export async function serveStream(
  message: IncomingMessage,
  response: ServerResponse,
  { query, request }: { readonly query: URLSearchParams; readonly request: StreamRequest },
  deps: StreamDeps,
): Promise<void> {
  const over = new AbortController();
  response.once("close", () => over.abort(new Error("the client went away")));
  const caller = new Caller(message, query, request, deps);
  const start =
    request.index <= 0
      ? deps.frames.startOldest(deps.replay)
      : deps.frames.startAt(request.index, request.withExtra, request.topics.keys());
  const begin = (head: IncomingHttpHeaders) => begun(response, head, start.gaps);
  const verdict = await verdictOf(caller, deps, { signal: over.signal, begin });
  if (verdict.kind !== "allowed") {
    await refuse(response, { verdict, caller, signal: over.signal }, deps);
    return;
  }
  begin(verdict.head);
  if (start.gaps.length > 0) {
    deps.metrics.compatGaps.inc();
    deps.logger.warn(
      { index: request.index, gaps: start.gaps },
      "a client of Nomad's event stream misses frames that are not recorded",
    );
  }
  await send(response, { caller, request, start, over }, deps);
}

async function verdictOf(
  caller: Caller,
  { recent, denials }: StreamDeps,
  { signal, begin }: { signal: AbortSignal; begin: (head: IncomingHttpHeaders) => void },
): Promise<Verdict> {
  // Where a denial is to be an error, nothing may be said before it is known.
  const verdict = await caller.check(signal, denials.answersFirst ? begin : undefined);
  if (verdict.kind !== "unreachable") recent.note(caller, verdict);
  return verdict.kind === "unreachable" ? (recent.of(caller) ?? verdict) : verdict;
}

function begun(response: ServerResponse, head: IncomingHttpHeaders, gaps: readonly FrameGap[]): void {
  if (response.headersSent) return;
  copyHead(response, head);
  if (gaps.length > 0)
    response.setHeader("x-changefeed-gap", gaps.map(({ after, before }) => `${after}-${before}`).join(", "));
  // As Nomad from 1.11.2 on: the body ends with the connection.
  if (head["transfer-encoding"] === undefined) {
    response.shouldKeepAlive = false;
    response.useChunkedEncodingByDefault = false;
  }
  response.writeHead(200);
  response.flushHeaders();
}

function copyHead(response: ServerResponse, head: IncomingHttpHeaders): void {
  for (const [name, value] of Object.entries(head))
    if (value !== undefined && !NOT_COPIED.has(name)) response.setHeader(name, value);
  response.sendDate = head.date !== undefined;
}

async function refuse(
  response: ServerResponse,
  {
    verdict,
    caller,
    signal,
  }: { verdict: Exclude<Verdict, { kind: "allowed" }>; caller: Caller; signal: AbortSignal },
  { denials }: StreamDeps,
): Promise<void> {
  if (response.headersSent) {
    response.end();
    return;
  }
  if (verdict.kind === "unreachable") {
    response
      .writeHead(502, { "content-type": "text/plain" })
      .end(`Nomad cannot be reached: ${verdict.reason}`);
    return;
  }
  const { status, head, body } = await denialOf(verdict, denials, () => caller.isStranger(signal));
  copyHead(response, head);
  response.statusCode = status;
  if (status === 200) {
    response.shouldKeepAlive = false;
    response.useChunkedEncodingByDefault = false;
    response.flushHeaders();
  } else response.sendDate = true;
  response.end(body);
}

async function send(
  response: ServerResponse,
  {
    caller,
    request,
    start,
    over,
  }: { caller: Caller; request: StreamRequest; start: FrameStart; over: AbortController },
  deps: StreamDeps,
): Promise<void> {
  const { clock, metrics, logger } = deps;
  const stalled = new Alarm(clock);
  const write = async (lines: string | Buffer): Promise<void> => {
    if (response.write(lines) || over.signal.aborted) return;
    stalled.set(STALLED_MS, () => response.destroy());
    await drained(response);
    stalled.cancel();
  };
  response.write(HEARTBEAT);
  metrics.compatSubscribers.inc();
  const renew = async () => {
    const verdict = await caller.check(over.signal);
    if (verdict.kind !== "denied") return true;
    await clock.sleep(DENIED_AGAIN_MS, over.signal);
    // Where Nomad cannot be asked now, the denial is its last word.
    if ((await caller.check(over.signal)).kind === "allowed") return true;
    deps.recent.note(caller, verdict);
    over.abort(new Error("the client may hear no more"));
    return false;
  };
  const quietly = () => void renew().catch(() => undefined);
  const look = async () => {
    // Their frames would just be missing; who asks anew gets them from Nomad.
    if (!(await deps.covers(request.topics.keys())))
      over.abort(new Error("not all topics are recorded any more"));
  };
  const stops = [
    every(clock, HEARTBEAT_MS, () => void (response.writableNeedDrain || response.write(HEARTBEAT))),
    every(clock, CHECK_EVERY_MS, quietly),
    every(clock, LOOK_EVERY_MS, () => void look()),
  ];
  const access = {
    get namespaces() {
      return caller.namespaces;
    },
    renew,
  };
  let end: SubscriberEnd = "stopped";
  try {
    end = await sendFrames({ feed: deps.feed, access, clock, write }, request, start.after, over.signal);
  } finally {
    for (const stop of stops) stop();
    stalled.cancel();
    metrics.compatSubscribers.dec();
    response.end();
  }
  if (end === "overtaken")
    logger.warn(
      { index: request.index },
      "a client of Nomad's event stream was too slow: retention took what it had not read",
    );
}

function drained(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => {
    response.off("drain", done).off("close", done);
    resolve();
  };
  response.on("drain", done).on("close", done);
  return promise;
}

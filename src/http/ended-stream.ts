import type { IncomingMessage } from "node:http";
import type { ConnectionFrames } from "../publishers/connection/frames.ts";
import { sseMessage } from "../publishers/sse/sse-sink.ts";
import { ChangefeedError } from "../schemas/errors.ts";
import { AuthUnavailable, LimitReached } from "./access/errors.ts";
import { EVENTS_PATH, formatOf } from "./events.ts";
import { problemAnswer, type ProblemAnswer } from "./problem.ts";

const RETRY_MS = 5000;
const STREAM_HEADERS = {
  "cache-control": "no-store",
  "x-accel-buffering": "no",
  "content-type": "text/event-stream; charset=utf-8",
};

/** An error as the answer to a request, whatever it asks for. */
export function refusalOf(
  error: unknown,
  request: IncomingMessage,
  frames: () => ConnectionFrames,
): ProblemAnswer {
  const body = endedStream(error, request, frames);
  return body === undefined ? problemAnswer(error) : { status: 200, headers: STREAM_HEADERS, body };
}

/**
 * An event stream that says why there is none yet, and ends: to a browser's EventSource any status but 200 is the end
 * for good, and it comes back by itself after a stream that ended. Undefined where the answer is to be the status:
 * the request is for something else, or coming back would not help.
 */
function endedStream(
  error: unknown,
  { method, url = "", headers }: IncomingMessage,
  frames: () => ConnectionFrames,
): string | undefined {
  const isStream =
    method === "GET" && url.split("?", 1)[0] === EVENTS_PATH && formatOf(headers.accept ?? "") === "sse";
  if (!isStream || !(error instanceof ChangefeedError) || !error.retryable) return undefined;
  const retryMs =
    error instanceof LimitReached || error instanceof AuthUnavailable
      ? error.retryAfterSeconds * 1000
      : RETRY_MS;
  return `retry: ${retryMs}\n${sseMessage(frames().error(error, undefined)).toString()}`;
}

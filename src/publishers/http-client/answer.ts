import type { Dispatcher } from "undici";
import { parseRetryAfter } from "../../shared/retry-after.ts";
import type { Clock } from "../../shared/clock.ts";
import type { SendResult } from "../delivery/destination.ts";

/** What of an answer's body is kept. */
const KEPT_BYTES = 4096;
/** What is read of it so that the connection can be used again; of a longer one the connection is closed. */
const READ_BYTES = 64 * 1024;
/** How long it may take. The status is the answer: a body that does not end changes nothing. */
const READ_MS = 2_000;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** How the body begins. */
  readonly bytes: Buffer;
  /** The same as text. */
  readonly text: string;
  /** Whether `text` is only how it begins. */
  readonly isCut: boolean;
}

/** Reads an answer within bounds of bytes and time. What cuts it off changes nothing. */
export function readAnswer(
  { statusCode: status, headers, body }: Dispatcher.ResponseData,
  clock: Pick<Clock, "after">,
  keptBytes = KEPT_BYTES,
): Promise<Answer> {
  const cancel = clock.after(READ_MS, () => body.destroy());
  const chunks: Buffer[] = [];
  let bytes = 0;
  body.on("data", (chunk: Buffer) => {
    if (bytes < keptBytes) chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > READ_BYTES) body.destroy();
  });
  body.on("error", () => undefined);
  return new Promise((resolve) => {
    body.once("close", () => {
      cancel();
      const kept = Buffer.concat(chunks).subarray(0, keptBytes);
      resolve({ status, headers, bytes: kept, text: kept.toString("utf8"), isCut: bytes > kept.length });
    });
  });
}

/** What the error of a request without an answer means. */
export function failureOf(error: unknown): SendResult {
  const reason = messageOf(error);
  const isConfig = CONFIG.has(codeOf(error));
  return isConfig ? { outcome: "refused", why: "config", reason } : { outcome: "retry", reason };
}

/** What no further attempt changes; everything else of a network may. */
const CONFIG = new Set(["PRIVATE_ADDRESS", "UND_ERR_INVALID_ARG"]);

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** A connection tried over several addresses fails with all their errors, and no words, in one. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return messageOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

/** A header of the answer; the first, where there are several. */
export function headerOf({ headers }: Pick<Answer, "headers">, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : value?.[0];
}

/** How long the answer asks to wait, in ms: `afterMs`, or nothing. */
export function waitOf(answer: Answer): { afterMs?: number } {
  const afterMs = parseRetryAfter(headerOf(answer, "retry-after"), headerOf(answer, "date"));
  return afterMs === undefined ? {} : { afterMs };
}

import { parseRetryAfter } from "../../shared/retry-after.ts";
import type { SendResult } from "../delivery/destination.ts";

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

import type { Refusal, SendResult } from "../delivery/destination.ts";
import { waitOf, type Answer } from "../http-client/answer.ts";
import { wordsOf } from "./words.ts";

/** The only statuses after which OTLP lets a request be repeated. */
const RETRIED = new Set([429, 502, 503, 504]);
/** Refusals by status. For a status that is not here it is not the events that are wrong. */
const REFUSALS: ReadonlyMap<number, Refusal> = new Map([
  [400, "poison"],
  [422, "poison"],
  [413, "too-large"],
  [401, "forbidden"],
  [403, "forbidden"],
  [407, "forbidden"],
  [410, "gone"],
]);
/** What Loki says of an entry beyond the age that it takes. */
const TOO_OLD = /timestamp too old|too far behind|max_sample_age/i;
/** What the collector says, with 400, of a body beyond what it takes. */
const TOO_LARGE = /request body too large/i;

/** Reads an answer: what of the request was not taken, by one of these names for each signal. */
interface Reader {
  deserializeResponse(bytes: Uint8Array): { readonly partialSuccess?: PartialSuccess };
}

interface PartialSuccess {
  readonly rejectedLogRecords?: number;
  readonly rejectedSpans?: number;
  readonly rejectedDataPoints?: number;
  readonly errorMessage?: string;
}

/** What an answer comes to, by the specification of OTLP over HTTP. */
export function resultOf(answer: Answer, reader: Reader): SendResult {
  const { status } = answer;
  if (status >= 200 && status < 300) return resultOfSuccess(answer, reader);
  const said = wordsOf(answer);
  const reason = said === "" ? `it answered ${status}` : `it answered ${status}: ${said}`;
  if (RETRIED.has(status)) return { outcome: "retry", reason, ...waitOf(answer) };
  return { outcome: "refused", why: refusalOf(status, said), reason };
}

function refusalOf(status: number, said: string): Refusal {
  const why = REFUSALS.get(status) ?? "config";
  if (why !== "poison") return why;
  if (TOO_OLD.test(said)) return "too-old";
  return TOO_LARGE.test(said) ? "too-large" : why;
}

/**
 * A part may be refused all the same. The answer does not say which, and repeating is forbidden: all count as taken, and
 * what was said stands in the attempt.
 */
function resultOfSuccess({ bytes }: Answer, reader: Reader): SendResult {
  const rejected = rejectedOf(bytes, reader);
  if (rejected === undefined) return { outcome: "ok" };
  return { outcome: "refused", why: "poison", reason: rejected, which: [] };
}

function rejectedOf(bytes: Uint8Array, reader: Reader): string | undefined {
  try {
    const partial = reader.deserializeResponse(bytes).partialSuccess ?? {};
    const { rejectedLogRecords, rejectedSpans, rejectedDataPoints, errorMessage = "" } = partial;
    const rejected = rejectedLogRecords ?? rejectedSpans ?? rejectedDataPoints ?? 0;
    // JSON has it as text, which compares as a number.
    return rejected > 0
      ? `it did not take ${rejected} of them, and does not say which: ${errorMessage}`
      : undefined;
  } catch {
    // Who answers 200 has taken it, whatever else he says.
    return undefined;
  }
}

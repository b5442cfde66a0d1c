import { CodedError } from "./coded-error.ts";
import type { ServerError } from "./errors.ts";

/** What a refusal has as JSON, PROTOCOL.md section 7. */
export interface Problem extends ServerError {
  readonly nearest?: string;
  readonly position?: number;
  readonly floor?: string;
  readonly oldestTime?: string;
  readonly head?: string;
}

const TOO_MANY = 429;

/**
 * A request that got no answer of the kind it asked for. `code` is the server's (docs/errors.md); FEED_UNREACHABLE where
 * nobody answered, or the answer broke off; NOT_A_FEED where something else answered.
 */
export class RequestFailed extends CodedError {
  readonly code: string;
  readonly retryable: boolean;
  /** Of HTTP; 0 where nobody answered. */
  readonly status: number;
  /** The parameter that is wrong, what it may be, and what may have been meant. */
  readonly field: string | undefined;
  readonly allowed: readonly string[] | undefined;
  readonly nearest: string | undefined;
  /** Where in `filter`, in characters from 1. */
  readonly position: number | undefined;
  /** The earliest cursor there is, where the one given has expired. */
  readonly floor: string | undefined;
  /** RFC 3339: when the oldest event was recorded, where a state is asked for that the log cannot tell any more. */
  readonly oldestTime: string | undefined;
  /** The end of the feed, where the cursor given is of another epoch or beyond it. */
  readonly head: string | undefined;
  /** How long the server wants to be left alone. */
  readonly retryAfterMs: number | undefined;

  /** @param problem what the server said; its `code` is the reason. */
  constructor(
    problem: Problem & { readonly code: string; readonly message: string },
    answer: { readonly status: number; readonly retryAfterMs?: number | undefined; readonly cause?: unknown },
  ) {
    const { code, message, hint, field, allowed, nearest, position, floor, oldestTime, head } = problem;
    const { status, retryAfterMs, cause } = answer;
    super(message, { ...(hint !== undefined && { hint }), cause });
    this.code = code;
    this.status = status;
    this.retryable = status === 0 || status === TOO_MANY || status >= 500;
    this.field = field;
    this.allowed = allowed;
    this.nearest = nearest;
    this.position = position;
    this.floor = floor;
    this.oldestTime = oldestTime;
    this.head = head;
    this.retryAfterMs = retryAfterMs;
  }
}

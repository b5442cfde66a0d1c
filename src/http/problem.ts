import { CursorExpired, EpochChanged, FutureCursor } from "../feed/errors.ts";
import { publicError } from "../publishers/connection/frames.ts";
import { InvalidFilter } from "../publishers/selection/filter-expression.ts";
import { outcomeOf } from "../publishers/connection/outcomes.ts";
import { StateExpired } from "../reads/errors.ts";
import { ChangefeedError } from "../schemas/errors.ts";
import { formatCursor } from "../schemas/cursor.ts";
import type { Problem } from "../schemas/problem-schema.ts";
import { InvalidParameter } from "../schemas/subscription-schema.ts";
import { MethodNotAllowed, NotFound, UpgradeLost } from "./errors.ts";
import { jsonText } from "../schemas/line-safe.ts";

/** An error as the answer to a request, or to an upgrade. */
export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function problemAnswer(error: unknown): ProblemAnswer {
  const problem: Problem = { ...publicError(error), ...detailsOf(error) };
  return {
    status: outcomeOf(error).status,
    headers: { "content-type": "application/problem+json; charset=utf-8", ...headersOf(error) },
    body: `${jsonText(problem)}\n`,
  };
}

/** What the answer says outside its body: when to come again, and with what. */
function headersOf(error: unknown): Readonly<Record<string, string>> {
  if (!(error instanceof ChangefeedError)) return {};
  if (error.code === "UNAUTHORIZED") return { "www-authenticate": 'Bearer realm="nomad-changefeed"' };
  if (error instanceof MethodNotAllowed) return { allow: error.allowed.join(", ") };
  if (error instanceof UpgradeLost) return { upgrade: "websocket" };
  return "retryAfterSeconds" in error ? { "retry-after": String(error.retryAfterSeconds) } : {};
}

function detailsOf(error: unknown): Partial<Problem> {
  if (error instanceof InvalidParameter) {
    const { field, nearest } = error;
    const allowed = [...error.allowed];
    return nearest === undefined ? { field, allowed } : { field, allowed, nearest };
  }
  if (error instanceof InvalidFilter) {
    const { field, position, expected } = error;
    return { field, position, allowed: [...expected] };
  }
  if (error instanceof NotFound || error instanceof MethodNotAllowed) return { allowed: [...error.allowed] };
  if (error instanceof CursorExpired) return { floor: formatCursor(error.floor) };
  if (error instanceof StateExpired) {
    const { oldestTime } = error;
    return { floor: formatCursor(error.floor), ...(oldestTime !== null && { oldestTime }) };
  }
  if (error instanceof FutureCursor || error instanceof EpochChanged)
    return { head: formatCursor(error.head) };
  return {};
}

import { answerOf, isLockedOut, isReplyError, mayPass } from "../../feed/redis/errors.ts";
import type { Location } from "../../feed/redis/location.ts";
import type { Failure } from "../partly.ts";

/** What comes second is said of a command inside our script, by Redis 7.2 and before. */
const FORBIDDEN = /^NOPERM\b|\bACL failure in script\b|user executing the script can't run/;

/** What a failed command comes to; `connectionError` says why there was no connection for it. */
export function failureOf(
  error: unknown,
  connectionError: Error | undefined,
  location: Pick<Location, "kind">,
): Failure {
  const cause = isReplyError(error) ? error : (connectionError ?? error);
  if (!isReplyError(cause)) return { outcome: "retry", reason: reasonOf(cause) };
  const reason = answerOf(cause);
  if (isLockedOut(cause) || FORBIDDEN.test(reason)) return { outcome: "refused", why: "forbidden", reason };
  if (mayPass(cause, location)) return { outcome: "retry", reason };
  return { outcome: "refused", why: "config", reason };
}

/** A host with several addresses fails with an error for each, and no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}

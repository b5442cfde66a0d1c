import { NomadError } from "../nomad/errors.ts";
import type { ChangefeedError } from "../schemas/errors.ts";

/** A server's Retry-After is heeded up to here. */
const MAX_RETRY_AFTER_MS = 60_000;
/** Nothing changes by asking a server sooner that says the request is wrong, ms. */
const REFUSED_RETRY_MS = 1_000;

/** How long at least to wait after an error of a query, ms. */
export function shortestRetryMs(error: ChangefeedError): number {
  const asked = error instanceof NomadError ? (error.retryAfterMs ?? 0) : 0;
  const retryAfterMs = Math.min(asked, MAX_RETRY_AFTER_MS);
  return error.retryable ? retryAfterMs : Math.max(retryAfterMs, REFUSED_RETRY_MS);
}

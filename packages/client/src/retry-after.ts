/**
 * A Retry-After header in ms from the answer on: whole seconds, or an HTTP date, which is held against the answer's own
 * `Date`, so that no clock of ours counts. Undefined for what is neither. A date that has passed is 0. As
 * src/shared/retry-after.ts.
 */
export function parseRetryAfter(header: string | undefined, date: string | undefined): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  if (!/^[A-Z][a-z]{2,8}, /.test(text)) return undefined;
  const waitMs = Date.parse(text) - Date.parse(date ?? "");
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}

/** That of an answer. */
export function retryAfterIn({ headers }: Pick<Response, "headers">): number | undefined {
  return parseRetryAfter(headers.get("retry-after") ?? undefined, headers.get("date") ?? undefined);
}

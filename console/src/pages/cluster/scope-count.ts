import type { Assignment } from "nomad-changefeed-client";

/** How many scopes are up to date. What Nomad does not have is not late. */
export function scopeCount(scopes: readonly Pick<Assignment, "condition">[]): string {
  const lacking = scopes.filter(({ condition }) => condition === "unsupported").length;
  const wrong = scopes.filter(({ condition }) => condition !== "ok").length - lacking;
  const read = scopes.length - lacking;
  const counted = wrong === 0 ? `${read}, all up to date` : `${wrong} of ${read} not up to date`;
  return lacking === 0 ? counted : `${counted}; ${lacking} that Nomad does not have`;
}

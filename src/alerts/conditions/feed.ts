import type { Subjects } from "../model/subject.ts";
import type { Answer, Asked } from "../rules/rule.ts";

type Scope = Subjects["scope"];

export function isStale({ scope }: Scope): Answer {
  return inTrouble(scope, "stale");
}

export function lostAccess({ scope }: Scope): Answer {
  return inTrouble(scope, "access-lost");
}

function inTrouble({ trouble }: Scope["scope"], state: string): Answer {
  if (trouble?.state !== state) return {};
  return { finding: { count: 1, details: { why: trouble.reason } } };
}

/** What was lost is told of for a while; it does not come back. */
export function hasGap({ scope: { gap } }: Scope, { settings, now }: Asked): Answer {
  const until = gap && gap.at + (settings.withinMs ?? 0);
  if (gap === undefined || until === undefined || until <= now) return {};
  return { finding: { count: 1, details: { why: gap.reason, at: new Date(gap.at).toISOString() } }, until };
}

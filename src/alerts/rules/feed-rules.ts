import * as feed from "../conditions/feed.ts";
import { HOUR, MINUTE, rule } from "./define.ts";
import type { AnyRule } from "./rule.ts";

export const FEED_RULES: readonly AnyRule[] = [
  rule({
    name: "FeedStale",
    on: "scope",
    severity: "WARN",
    forMs: MINUTE,
    reads: [],
    summary: "The feed does not see what happens in {scope}: {why}",
    meaning:
      "Nomad cannot be read, as a whole or in one scope. What fires goes on firing, and nothing new begins: alerts about what cannot be seen stand still.",
    todo: ["`nomad-changefeed doctor` says what is wrong between the bridge and Nomad."],
    page: undefined,
    condition: feed.isStale,
  }),
  rule({
    name: "FeedAccessLost",
    on: "scope",
    severity: "ERROR",
    reads: [],
    summary: "The feed may not read {scope} any more: {why}",
    meaning:
      "The bridge's token lost its rights. Alerts about what it may not read are not resolved by that, and none begins.",
    todo: [
      "Give the bridge a token that may read: `nomad-changefeed doctor` names the capabilities it needs.",
    ],
    page: undefined,
    condition: feed.lostAccess,
  }),
  rule({
    name: "FeedGap",
    on: "scope",
    severity: "WARN",
    withinMs: HOUR,
    reads: [],
    summary: "Events were lost: {why}",
    meaning:
      "Between two events that are known, others are missing: the log lost its end, or its retention overtook who reads it. States are right again; what came and went in between is not known. It fires for an hour.",
    todo: ["Keep the log for longer (`--retention-age`), or see why alerts were not followed for so long."],
    page: undefined,
    condition: feed.hasGap,
  }),
];

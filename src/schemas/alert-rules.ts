import { z } from "zod";
import { field } from "./destinations/fields.ts";
import { SEVERITY_NAMES } from "./severity.ts";
import { choice, count, duration, list, text } from "./value-types.ts";

export const RULE_NAME = /^[A-Z][A-Za-z0-9]{1,63}$/;
export const RULE_NAME_ALLOWED = "a capital letter, then letters and digits, 64 at most";

const patterns = (what: string) =>
  field(
    list("<patterns>", {
      allowed: "names, with * for anything, and ! before what is not meant",
      schema: z.string().min(1),
    }),
    `${what}: names, with * for anything, and ! before what is not meant`,
  ).optional();

/** What a rule of ours is changed to, or what a rule of one's own is. What is absent is as in the table. */
const alertRuleSchema = z.strictObject({
  like: field(text("<rule>"), "Of a rule of one's own: the rule that it is a variant of").optional(),
  severity: field(choice(SEVERITY_NAMES), "Severity of its alerts").optional(),
  for: field(duration(), "How long it must hold before it fires").optional(),
  keepFiringFor: field(duration(), "How long it goes on firing after it holds no longer").optional(),
  atLeast: field(count(), "How many of what it counts: allocations, restarts, losses").optional(),
  within: field(duration({ minMs: 1000, maxMs: 86_400_000 }), "In what time it counts them").optional(),
  longerThan: field(duration({ minMs: 1000 }), "What may last so long").optional(),
  where: z
    .strictObject({
      namespace: patterns("Namespaces"),
      job: patterns("Jobs; of a periodic or dispatched one its parent"),
      group: patterns("Groups"),
      node: patterns("Nodes, by name or id"),
      scope: patterns("Scopes of the feed, as allocations/prod"),
    })
    .describe("What it is for; absent: all")
    .optional(),
  summary: field(
    text("<text>"),
    "One line for people, with {job}, {count}, {count allocation} (1 allocation, 2 allocations), {why} and the like",
  ).optional(),
});

/** `alerts:` of the configuration file. */
export const alertsSchema = z
  .strictObject({
    rules: z
      .record(z.string().regex(RULE_NAME), z.union([z.literal("off"), alertRuleSchema]))
      .describe("By name: off, or what differs from the table in docs/alerts.md")
      .prefault({}),
  })
  .describe("What people are told of, and when");
export type AlertSettings = z.infer<typeof alertsSchema>;
export type AlertRuleSettings = z.infer<typeof alertRuleSchema>;

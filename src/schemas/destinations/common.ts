import { z } from "zod";
import { ASPECTS, OPS } from "../draft.ts";
import { SEVERITY_NAMES } from "../severity.ts";
import { parseSince } from "../since.ts";
import { MAX_FILTERS, PAYLOADS } from "../subscription-schema.ts";
import { choice, count, duration, list, size, type ValueType } from "../value-types.ts";
import { field, noted } from "./fields.ts";

/** What a type of destination usually has, as an operator would write it. */
export interface Usual {
  readonly from: "now" | "beginning";
  readonly ordering: (typeof ORDERINGS)[number];
  readonly events: number;
  readonly bytes: string;
  readonly timeout: string;
  /** Default: it waits for nothing. */
  readonly age?: string;
}

export const ORDERINGS = ["strict", "per-subject"] as const;
export const ON_POISON = ["park", "block"] as const;

export const DESTINATION_NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
export const NAME_ALLOWED = "1 to 63 of a-z 0-9 -, with no dash at either end";

const names = (allowed: string) => list("<names>", { allowed, schema: z.string().min(1) });

const from: ValueType<string> = {
  placeholder: "<time>",
  allowed: "now, beginning, an RFC 3339 time as 2026-08-22T10:15:30Z, or an age as 90s, 10m or 2d",
  schema: z
    .string()
    .trim()
    .refine((text) => text === "now" || text === "beginning" || parseSince(text, 0) !== undefined),
  print: (value) => value,
};

/** Fields of every destination: what it wants, and how that is delivered. Durations are ms, sizes bytes. */
export function commonFields(usual: Usual) {
  return {
    ...conditionFields(),
    payload: field(
      choice(PAYLOADS),
      "How much of an event leaves: full; patch, without the object; thin, without what changed either",
    ).prefault("full"),
    from: field(
      from,
      "Where a destination begins that was not there before. One that has a position goes on from it",
    ).prefault(usual.from),
    ordering: field(
      choice(ORDERINGS),
      "strict: one event after the other; per-subject: those of one object are in order, others overtake",
    ).prefault(usual.ordering),
    inFlight: field(
      count({ max: 256 }),
      "Requests that may be under way at once; with strict it is one",
    ).prefault(8),
    batch: z
      .strictObject({
        events: field(count({ max: 10_000 }), "Most events of one request").prefault(usual.events),
        bytes: field(
          size({ minBytes: 1024, maxBytes: 64 * 2 ** 20 }),
          "Most bytes of events in one request; a larger event goes alone",
        ).prefault(usual.bytes),
        age: field(
          duration({ minMs: 0, maxMs: 600_000 }),
          "How long the first event waits for others; 0s: not at all",
        ).prefault(usual.age ?? "0s"),
      })
      .describe("What is sent together")
      .prefault({}),
    timeout: field(
      duration({ minMs: 100, maxMs: 600_000 }),
      "How long one request may take before it is ended and tried again",
    ).prefault(usual.timeout),
    retry: z
      .strictObject({
        first: field(
          duration({ minMs: 10, maxMs: 3_600_000 }),
          "Longest pause before the second attempt; each further one may be twice as long",
        ).prefault("5s"),
        most: field(
          duration({ minMs: 10, maxMs: 86_400_000 }),
          "Longest pause there is. It is tried for ever",
        ).prefault("1h"),
      })
      .describe("Pauses between attempts, with full jitter")
      .prefault({}),
    onPoison: field(
      choice(ON_POISON),
      "With an event that the destination refuses for good. park: it becomes a dead letter, and the others go on; block: its subject waits until somebody acts",
    ).prefault("park"),
    formerName: noted(
      z.string().regex(DESTINATION_NAME).describe("The name it had before: it takes over that position"),
      { allowed: NAME_ALLOWED },
    ).optional(),
  };
}

const oneExpression = z
  .string()
  .min(1)
  .transform((text) => [text]);

/** The parameters of a subscription. What each may hold is checked as a subscription's is. */
function conditionFields() {
  return {
    types: field(
      names("resources, event types, or feed for the feed's own events"),
      "Kinds of objects, event types, or feed",
    ).optional(),
    namespaces: field(names("names of namespaces"), "Of these namespaces").optional(),
    ops: field(names(OPS.join(", ")), "What happened to the object").optional(),
    aspects: field(names(ASPECTS.join(", ")), "What of it changed").optional(),
    signals: field(
      names("names of signals, docs/signals.md"),
      "Named transitions, as allocation.failed",
    ).optional(),
    subjects: field(
      names("<resource>/<namespace>/<key>"),
      "Single objects: <resource>/<namespace>/<key>",
    ).optional(),
    minSeverity: field(choice(SEVERITY_NAMES), "The least severity").optional(),
    filter: noted(
      z
        .union([oneExpression, z.array(z.string().min(1)).min(1).max(MAX_FILTERS)])
        .describe("An expression of the filter language (docs/filters.md), or several that must all hold"),
      { allowed: `an expression, or a list of at most ${MAX_FILTERS}` },
    ).optional(),
  };
}

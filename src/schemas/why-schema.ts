import { z } from "zod";
import { RESOURCE_TYPES, RESOURCES } from "./resources.ts";
import { SEVERITY_NAMES } from "./severity.ts";

/** How one object of a chain led to another: `from` is the cause, `to` the effect. */
const WHY_RELATIONS = [
  "launched",
  "triggered",
  "followed-by",
  "started",
  "rolled-out",
  "placed",
  "runs",
  "replaced-by",
  "preempted",
  "stopped",
] as const;
export type WhyRelation = (typeof WHY_RELATIONS)[number];

const subject = z.string().min(1).describe("<resource>/<namespace>/<key>");
const time = z.iso.datetime({ offset: true });
const cursor = z.string().optional().describe("Of the event that says so, where the log has it");

const whyNodeSchema = z.object({
  subject,
  kind: z.enum(RESOURCE_TYPES.map((type) => RESOURCES[type].noun)),
  label: z.string().describe("What people call it"),
  state: z.string().describe("How it was, in a few words; empty where that is not known"),
  time: time.nullable().describe("When it last changed, as far as is known"),
  cursor,
});
export type WhyNode = z.infer<typeof whyNodeSchema>;

const whyEdgeSchema = z.object({
  from: subject,
  to: subject,
  relation: z.enum(WHY_RELATIONS),
  words: z.string().describe("The same for people"),
});
export type WhyEdge = z.infer<typeof whyEdgeSchema>;

const whyStepSchema = z.object({
  time,
  subject,
  cursor,
  words: z.string().describe("A sentence"),
  severity: z.enum(SEVERITY_NAMES),
});
export type WhyStep = z.infer<typeof whyStepSchema>;

/** Why an object is as it is: what led to what, and the same as a story. */
export const whySchema = z.object({
  subject,
  asOf: z.string().describe("The cursor at which it is true"),
  nodes: z.array(whyNodeSchema).describe("The object asked about first"),
  edges: z.array(whyEdgeSchema),
  story: z.array(whyStepSchema).describe("Oldest first"),
  complete: z.boolean().describe("Whether nothing is known to be missing"),
  missing: z.array(z.string()).describe("What retention, rights or limits keep from it, in words"),
});
export type Why = z.infer<typeof whySchema>;

import { z } from "zod";
import { baseAttributes, DATA_SCHEMAS, envelopeHead, redactedMember } from "./envelope-schema.ts";
import { changeType, type EventFacts } from "./draft.ts";
import { changeDataSchema, resourceBlock } from "./event-schema.ts";
import { objectOf, type Json } from "./json.ts";
import { createIndexOf, RESOURCE_TYPES, subjectOf, type ObjectRef } from "./resources.ts";
import { jsonText, stubText } from "./line-safe.ts";

/**
 * What exists on a connection only: CloudEvents without a sequence and a cursor of their own, never in the log.
 * One per line, message or frame, as the events between them.
 */
const FRAME_TYPES = [
  "nomad.feed.hello",
  "nomad.feed.bookmark",
  "nomad.feed.snapshot",
  "nomad.feed.gap",
  "nomad.feed.error",
  "nomad.feed.pong",
] as const;

/** The same on a connection over all feeds of a process, beside each feed's own. */
const FEEDS_FRAME_TYPES = ["nomad.feeds.hello", "nomad.feeds.notice"] as const;

type FrameType = (typeof FRAME_TYPES | typeof FEEDS_FRAME_TYPES)[number];

export const PROTOCOL_VERSION = 1;

const cursor = z.string().min(1);

const helloDataSchema = z.object({
  protocol: z.literal(PROTOCOL_VERSION),
  feed: z.string().describe("The feed's source, nomad://<cluster>/<region>"),
  epoch: z.string().describe("Name of this unbroken history; cursors of another one are refused"),
  cursor: cursor.describe("Where this subscription really starts: events after it follow"),
  floor: cursor.describe("Earliest cursor the feed can still serve"),
  head: cursor.describe("Newest event when the subscription began"),
  gap: z
    .boolean()
    .describe("True: events between the wanted start and this one are gone; a gap frame says which"),
});

const bookmarkDataSchema = z.object({
  cursor: cursor.describe("Everything up to here was sent or did not match: resume from it"),
});

const snapshotDataSchema = z.object({
  phase: z.enum(["begin", "end"]),
  cursor: cursor.describe("The place in the log at which the objects between begin and end are true"),
  count: z.int().nonnegative().optional().describe("With end: objects sent"),
});

const gapDataSchema = z.object({
  reason: z.enum(["expired", "epoch-changed", "missing"]),
  wanted: cursor.describe("Where the subscription wanted to start"),
  cursor: cursor.describe("Where it goes on"),
  missed: z.int().nonnegative().optional().describe("Events between the two, where it can be told"),
});

const errorDataSchema = z.object({
  code: z.string().describe("Stable name, listed in docs/errors.md"),
  message: z.string(),
  hint: z.string().optional(),
  closeCode: z.int().optional().describe("WebSocket close code that follows"),
  cursor: cursor.optional().describe("Resume from here, where resuming makes sense"),
});

const pongDataSchema = z.object({ ping: z.union([z.number(), z.string()]) });

const feedsHelloDataSchema = z.object({
  protocol: z.literal(PROTOCOL_VERSION),
  feeds: z.array(z.string()).describe("Names of the feeds whose events follow"),
});

const feedsNoticeDataSchema = z.object({
  feed: z.string().describe("Its name"),
  state: z
    .enum(["away", "gone"])
    .describe(
      "away: its events are missing until its next nomad.feed.hello. gone: the process has it no more",
    ),
  why: z.string(),
});

export type HelloData = z.infer<typeof helloDataSchema>;
export type BookmarkData = z.infer<typeof bookmarkDataSchema>;
export type SnapshotData = z.infer<typeof snapshotDataSchema>;
export type GapData = z.infer<typeof gapDataSchema>;
export type ErrorData = z.infer<typeof errorDataSchema>;
export type PongData = z.infer<typeof pongDataSchema>;
export type FeedsHelloData = z.infer<typeof feedsHelloDataSchema>;
export type FeedsNoticeData = z.infer<typeof feedsNoticeDataSchema>;

const frame = <Type extends FrameType, Data extends z.ZodType>(type: Type, data: Data) =>
  z.object({
    ...baseAttributes,
    type: z.literal(type),
    dataschema: z.literal(DATA_SCHEMAS.frame),
    data,
  });

export const frameSchema = z.discriminatedUnion("type", [
  frame("nomad.feed.hello", helloDataSchema),
  frame("nomad.feed.bookmark", bookmarkDataSchema),
  frame("nomad.feed.snapshot", snapshotDataSchema),
  frame("nomad.feed.gap", gapDataSchema),
  frame("nomad.feed.error", errorDataSchema),
  frame("nomad.feed.pong", pongDataSchema),
]);

export const feedsFrameSchema = z.discriminatedUnion("type", [
  frame("nomad.feeds.hello", feedsHelloDataSchema),
  frame("nomad.feeds.notice", feedsNoticeDataSchema),
]);

export interface FrameContext {
  /** nomad://<cluster>/<region> */
  readonly source: string;
  /** Unique within the source; a connection's name and a counter will do. */
  readonly id: string;
  /** RFC 3339. */
  readonly time: string;
}

export function helloFrame(context: FrameContext, data: HelloData): string {
  return frameText("nomad.feed.hello", context, data);
}

export function bookmarkFrame(context: FrameContext, data: BookmarkData): string {
  return frameText("nomad.feed.bookmark", context, data);
}

/** Stands before and after the objects of a snapshot (`objectFrame`). */
export function snapshotFrame(context: FrameContext, data: SnapshotData): string {
  return frameText("nomad.feed.snapshot", context, data);
}

export function gapFrame(context: FrameContext, data: GapData): string {
  return frameText("nomad.feed.gap", context, data);
}

/** The last frame before a connection closes for a reason. */
export function errorFrame(context: FrameContext, data: ErrorData): string {
  return frameText("nomad.feed.error", context, data);
}

export function pongFrame(context: FrameContext, data: PongData): string {
  return frameText("nomad.feed.pong", context, data);
}

/** The first of a stream of all feeds. */
export function feedsHelloFrame(context: FrameContext, data: FeedsHelloData): string {
  return frameText("nomad.feeds.hello", context, data);
}

export function feedsNoticeFrame(context: FrameContext, data: FeedsNoticeData): string {
  return frameText("nomad.feeds.notice", context, data);
}

/** One line of JSON. */
function frameText(type: FrameType, context: FrameContext, data: object): string {
  return jsonText({
    specversion: "1.0",
    id: context.id,
    source: context.source,
    type,
    time: context.time,
    datacontenttype: "application/json",
    dataschema: DATA_SCHEMAS.frame,
    data,
  });
}

/**
 * An object of a snapshot, between its begin and end: a change event without a place in the log and without
 * what only a change has (aspect, changes, observed).
 */
export const objectFrameSchema = z.object({
  ...baseAttributes,
  type: z.enum(RESOURCE_TYPES.map((type) => changeType(type, "snapshot"))),
  dataschema: z.literal(DATA_SCHEMAS.change),
  subject: z.string().min(1),
  partitionkey: z.string().min(1),
  recordedtime: z.iso.datetime({ offset: true }),
  severitytext: z.literal("INFO"),
  severitynumber: z.literal(9),
  data: changeDataSchema.pick({ signals: true, resource: true, rev: true }).extend({
    op: z.literal("snapshot"),
    after: z
      .record(z.string(), z.unknown())
      .optional()
      .describe("The list stub; absent with a payload that leaves it out"),
    ...redactedMember,
  }),
});

/**
 * The frame of an object as it is at `context.cursor`, with what filters ask about it. `after` is the stub's
 * own bytes. An object has no aspect here: facts.aspect is null.
 */
export function objectFrame(
  entry: {
    readonly ref: ObjectRef;
    readonly rev: string;
    readonly stub: { toString(encoding: "utf8"): string };
    readonly redacted?: readonly string[];
  },
  context: { readonly source: string; readonly time: string; readonly cursor: string },
): { readonly facts: EventFacts; readonly json: string } {
  const text = stubText(entry.stub);
  // Names and a raft index are all that is read of it, and an exact parse costs ten times as much.
  const stub = objectOf(JSON.parse(text) as Json);
  const resource = resourceBlock(entry.ref, stub);
  const subject = subjectOf(entry.ref);
  const facts: EventFacts = {
    id: `${subject}@${entry.rev}!snapshot.${context.cursor}`,
    type: changeType(entry.ref.resource, "snapshot"),
    resource: entry.ref.resource,
    namespace: entry.ref.namespace,
    key: entry.ref.key,
    op: "snapshot",
    aspect: null,
    signals: [],
    severity: "INFO",
    job: resource.job ?? null,
    node: resource.node ?? null,
    time: context.time,
  };
  const head = envelopeHead({
    ...facts,
    source: context.source,
    subject,
    dataschema: DATA_SCHEMAS.change,
    recordedtime: context.time,
  });
  const rev = {
    current: entry.rev === "" ? null : entry.rev,
    previous: null,
    created: createIndexOf(stub) ?? null,
  };
  const redacted = entry.redacted === undefined ? "" : `,"redacted":${jsonText(entry.redacted)}`;
  const data = `{"op":"snapshot","signals":[],"resource":${jsonText(resource)},"after":${text},"rev":${JSON.stringify(rev)}${redacted}}`;
  return { facts, json: `${head}"data":${data}}` };
}

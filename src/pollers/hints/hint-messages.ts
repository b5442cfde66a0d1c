import { z } from "zod";
import { objectOf } from "../../schemas/json.ts";
import { RESOURCE_TYPES } from "../../schemas/resources.ts";
import { parseExactFast } from "../../snapshots/exact-json.ts";
import type { Coverage } from "./coverage.ts";
import type { RaftEntry } from "./frame.ts";
import { STREAM_TOPICS, type Hint } from "./hint.ts";

const topic = z.enum(STREAM_TOPICS);
const resource = z.enum(RESOURCE_TYPES);

const hintSchema = z.object({
  resource,
  namespace: z.string(),
  key: z.string(),
  index: z.string(),
  cause: topic,
  payload: z.string().optional(),
  update: z.string().optional(),
  gone: z.literal(true).optional(),
});

const messageSchema = z.discriminatedUnion("kind", [
  /** The streams that are live; no other is. */
  z.object({
    kind: z.literal("live"),
    streams: z.array(
      z.object({ stream: z.string(), topics: z.array(topic), namespaces: z.array(z.string()) }),
    ),
  }),
  z.object({
    kind: z.literal("entry"),
    stream: z.string(),
    index: z.string(),
    explained: z.array(resource),
    hints: z.array(hintSchema),
  }),
  z.object({ kind: z.literal("gap"), stream: z.string(), reason: z.string() }),
]);

/** What who follows the event stream tells the other workers. */
export type HintMessage = z.infer<typeof messageSchema>;

/** Undefined for what another version says, or what is damaged. */
export function parseHintMessage(text: string): HintMessage | undefined {
  try {
    return messageSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function liveMessage(streams: ReadonlyMap<string, Coverage>): HintMessage {
  const told = [...streams].map(([stream, { topics, namespaces }]) => ({
    stream,
    topics: [...topics],
    namespaces: [...namespaces],
  }));
  return { kind: "live", streams: told };
}

export function entryMessage(stream: string, { index, explained, hints }: RaftEntry): HintMessage {
  return {
    kind: "entry",
    stream,
    index: String(index),
    explained: [...explained],
    hints: hints.map(({ payload, update, ...hint }) => ({
      ...hint,
      index: String(hint.index),
      ...(payload !== undefined && { payload: payload.toString() }),
      ...(update !== undefined && { update: JSON.stringify(update) }),
    })),
  };
}

export function entryOf({ index, explained, hints }: Extract<HintMessage, { kind: "entry" }>): RaftEntry {
  return { index: BigInt(index), explained: new Set(explained), hints: hints.map(hintOf) };
}

function hintOf({ payload, update, gone, index, ...hint }: z.infer<typeof hintSchema>): Hint {
  return {
    ...hint,
    index: BigInt(index),
    ...(payload !== undefined && { payload: Buffer.from(payload) }),
    ...(update !== undefined && { update: objectOf(parseExactFast(update)) }),
    ...(gone !== undefined && { gone }),
  };
}

import type { RecordedFrame } from "../../feed/frames/frame-log.ts";
import type { EventHead } from "./selection.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const NEWLINE = Buffer.from("\n");
const SEPARATOR = Buffer.from(",");
const OPENS = new Set([0x7b, 0x5b]);
const CLOSES = new Set([0x7d, 0x5d]);
const EVENTS = Buffer.from('"Events":[');

/** A frame whose events can be sent one by one, byte for byte as they were written. */
export class SplitFrame {
  readonly sequence: number;
  readonly index: number;
  readonly line: Buffer;
  /** Whether Nomad never sent it. */
  readonly isExtra: boolean;
  #heads: readonly EventHead[] | undefined;
  #parts: Parts | undefined;

  constructor({ sequence, index, line, isExtra }: RecordedFrame) {
    this.sequence = sequence;
    this.index = index;
    this.isExtra = isExtra;
    this.line = Buffer.concat([line, NEWLINE]);
  }

  get heads(): readonly EventHead[] {
    return (this.#heads ??= headsOf(this.line));
  }

  /** The frame with these of its events, as a line. */
  with(places: readonly number[]): Buffer {
    if (places.length === this.heads.length && places.every((place, at) => place === at)) return this.line;
    const { before, events, behind } = (this.#parts ??= partsOf(this.line));
    const chosen = places.flatMap((place, at) => [
      ...(at === 0 ? [] : [SEPARATOR]),
      events[place] ?? Buffer.alloc(0),
    ]);
    return Buffer.concat([before, ...chosen, behind]);
  }
}

interface ParsedEvent {
  readonly Topic: string;
  readonly Key: string;
  readonly Namespace: string;
  readonly FilterKeys: readonly string[] | null;
}

function headsOf(line: Buffer): EventHead[] {
  const { Events } = JSON.parse(line.toString()) as { readonly Events: readonly ParsedEvent[] };
  return Events.map(({ Topic, Key, Namespace, FilterKeys }) => ({
    topic: Topic,
    key: Key,
    namespace: Namespace,
    filterKeys: FilterKeys ?? [],
  }));
}

interface Parts {
  readonly before: Buffer;
  readonly events: readonly Buffer[];
  readonly behind: Buffer;
}

/** Go writes no space, and what is in an event is never deeper than the frame's own list. */
function partsOf(line: Buffer): Parts {
  const begins = listIn(line);
  const events: Buffer[] = [];
  let depth = 0;
  let from = begins;
  for (let at = begins; at < line.length; at += 1) {
    const byte = line[at] as number;
    if (byte === QUOTE) at = endOfString(line, at);
    else if (OPENS.has(byte)) depth += 1;
    else if (CLOSES.has(byte) && depth > 0) depth -= 1;
    else if (depth === 0 && (byte === COMMA || CLOSES.has(byte))) {
      if (at > from) events.push(line.subarray(from, at));
      from = at + 1;
      if (byte !== COMMA) return { before: line.subarray(0, begins), events, behind: line.subarray(at) };
    }
  }
  throw new Error("a recorded frame is no JSON");
}

/** Where the first event begins: the frame's own list is its only member with that name at that depth. */
function listIn(line: Buffer): number {
  let depth = 0;
  for (let at = 0; at < line.length; at += 1) {
    const byte = line[at] as number;
    if (byte === QUOTE) {
      if (depth === 1 && line.subarray(at, at + EVENTS.length).equals(EVENTS)) return at + EVENTS.length;
      at = endOfString(line, at);
    } else if (OPENS.has(byte)) depth += 1;
    else if (CLOSES.has(byte)) depth -= 1;
  }
  throw new Error("a recorded frame has no events");
}

function endOfString(line: Buffer, start: number): number {
  let at = start + 1;
  while (at < line.length && line[at] !== QUOTE) at += line[at] === BACKSLASH ? 2 : 1;
  return at;
}

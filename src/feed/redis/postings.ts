import { crc32 } from "node:zlib";
import type { EventDraft } from "../../schemas/draft.ts";
import type { HistoryScan } from "../log.ts";
import { isSevere } from "./codec.ts";

/**
 * The index of the history. The log is divided into segments of about `SEGMENT_EVENTS` events; each has its postings in
 * `by:<segment>:<partition>`, texts to which a commit appends a block: a line `@<sequence before its first event>`,
 * then a line `<kind>:<name> <position in the commit>` for each event that the name finds. So a commit costs a few
 * appends however many names it has, a question reads one partition of each segment, and retention drops whole
 * segments.
 */
export const SEGMENT_EVENTS = 10_000;

/** A power of two. More of them make questions cheaper and large commits dearer. */
const PARTITIONS_PER_KIND = 32;
const KINDS = ["key", "job", "node", "signal"] as const;
type Kind = (typeof KINDS)[number];

/** Every partition that a segment may have. */
export const PARTITIONS: readonly string[] = [
  ...KINDS.flatMap((kind) => Array.from({ length: PARTITIONS_PER_KIND }, (_, number) => `${kind}:${number}`)),
  // Of the severity WARN and above: the name under which logs store it.
  "grave",
];
const SEVERE = PARTITIONS.length - 1;

/** Texts to append: partition, lines, partition, lines … */
export function postingsOf(events: readonly EventDraft[]): string[] {
  const lines = PARTITIONS.map(() => "");
  for (const [index, { key, job, node, signals, severity }] of events.entries()) {
    const add = (slot: number, name: string) => {
      lines[slot] += `${name} ${index + 1}\n`;
    };
    if (key !== null) add(slotOf("key", key), lineName("key", key));
    if (job !== null) add(slotOf("job", job), lineName("job", job));
    if (node !== null) add(slotOf("node", node), lineName("node", node));
    for (const signal of signals) add(slotOf("signal", signal), lineName("signal", signal));
    if (isSevere(severity)) add(SEVERE, "grave");
  }
  return lines.flatMap((text, slot) => (text === "" ? [] : [PARTITIONS[slot] ?? "", text]));
}

/** Where the answers to a question are found. */
export interface Posted {
  readonly partition: string;
  readonly name: string;
}

/** Of the names in the question the one that as a rule finds the fewest events; undefined where it names none. */
export function postedBy({ key, job, node, signal, minSeverity, control }: HistoryScan): Posted | undefined {
  // Control events are posted under their severity alone.
  const ofObjects = control !== "too";
  if (ofObjects && key !== undefined) return posted("key", key);
  if (ofObjects && job !== undefined) return posted("job", job);
  if (ofObjects && node !== undefined) return posted("node", node);
  if (ofObjects && signal !== undefined) return posted("signal", signal);
  if (minSeverity !== undefined && isSevere(minSeverity)) return { partition: "grave", name: "grave" };
  return undefined;
}

/** Sequences of the events that the name finds, ascending; `text` is what its partition holds. */
export function sequencesIn(text: string, name: string): number[] {
  const found: number[] = [];
  const wanted = `\n${name} `;
  let block = 0;
  let nextBlock = text.indexOf("\n@");
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + 1)) {
    while (nextBlock !== -1 && nextBlock < at) {
      block = nextBlock + 1;
      nextBlock = text.indexOf("\n@", block);
    }
    const position = numberAt(text, at + wanted.length);
    // A longer name with a space in it may begin like this one; what follows is then no number.
    if (Number.isSafeInteger(position)) found.push(numberAt(text, block + 1) + position);
  }
  return found;
}

/** From here to the end of the line. */
function numberAt(text: string, start: number): number {
  return Number(text.slice(start, text.indexOf("\n", start)));
}

function posted(kind: Kind, name: string): Posted {
  return { partition: PARTITIONS[slotOf(kind, name)] ?? "", name: lineName(kind, name) };
}

function slotOf(kind: Kind, name: string): number {
  return KINDS.indexOf(kind) * PARTITIONS_PER_KIND + (crc32(name) & (PARTITIONS_PER_KIND - 1));
}

/** Where this makes two names one, history tells their events apart. */
function lineName(kind: Kind, name: string): string {
  return `${kind}:${name.includes("\n") ? name.replaceAll("\n", " ") : name}`;
}

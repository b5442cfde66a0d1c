import { RESOURCES } from "../../schemas/resources.ts";
import { plainText } from "../../schemas/terminal-text.ts";
import { TlogFormatError } from "../../tlog/errors.ts";
import { timeText } from "../support/times.ts";
import type { HistoryLine, HistoryQuestion } from "./object-history.ts";

export interface Report {
  readonly question: HistoryQuestion;
  readonly lines: readonly HistoryLine[];
  /** Ms since 1970. */
  readonly madeAtMs: number;
  /** Index of the first entry that was read, and how many the checkpoint has. */
  readonly from: number;
  readonly size: number;
  /** The signed note. */
  readonly checkpoint: string;
}

/** The first line of a checkpoint is the name of a key, in which no space can be: no report is one. */
const TITLE = "Audit report of nomad-changefeed";
const CHECKPOINT_FOLLOWS = "Made from this checkpoint:";

/** What is signed. Ends with the checkpoint. */
export function reportText({ checkpoint, ...report }: Report): string {
  return [TITLE, "", ...facts(report), "", ...table(report), "", CHECKPOINT_FOLLOWS, "", checkpoint].join(
    "\n",
  );
}

/** The checkpoint that a report ends with, a signed note. @throws TlogFormatError where the text is no report */
export function checkpointIn(text: string): string {
  const at = text.indexOf(`\n${CHECKPOINT_FOLLOWS}\n\n`);
  if (text.startsWith(`${TITLE}\n`) && at >= 0) return text.slice(at + CHECKPOINT_FOLLOWS.length + 3);
  throw new TlogFormatError("This is no audit report.");
}

function facts({ question, lines, madeAtMs, from, size }: Omit<Report, "checkpoint">): string[] {
  const { namespace, sinceMs } = question;
  const count = (kind: HistoryLine["kind"]) => lines.filter((line) => line.kind === kind).length;
  const read = size === from ? "no entry" : `entries ${from} to ${size - 1}; they hash to the root below`;
  return [
    ["object", objectText(question)],
    ["namespace", plainText(namespace ?? "any")],
    ["since", sinceMs === undefined ? "the beginning" : atMs(sinceMs)],
    ["made", atMs(madeAtMs)],
    ["read", `${read}${from > 0 ? "; what was before was pruned" : ""}`],
    ["found", `${count("event")} events, ${count("gap") === 0 ? "no gaps" : `gaps ${count("gap")}`}`],
  ].map(([name = "", value = ""]) => `${name.padEnd(10)} ${value}`);
}

function objectText({ object: { resource, key } }: HistoryQuestion): string {
  const name = `${RESOURCES[resource].noun}/${plainText(key)}`;
  if (resource === "jobs") return `${name}, with its allocations, deployments and evaluations`;
  return resource === "nodes" ? `${name}, with its allocations` : name;
}

function table({ lines, size }: Pick<Report, "lines" | "size">): string[] {
  const width = Math.max("index".length, String(size).length);
  return [
    `${"index".padStart(width)}  what the trail says`,
    ...lines.map(
      ({ index, kind, text }) => `${String(index).padStart(width)}  ${kind === "event" ? "" : "-- "}${text}`,
    ),
  ];
}

function atMs(ms: number): string {
  return timeText(new Date(ms).toISOString());
}

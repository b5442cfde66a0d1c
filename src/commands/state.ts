import type { z } from "zod";
import { objectFrameSchema } from "../schemas/frames-schema.ts";
import { RESOURCES } from "../schemas/resources.ts";
import { plainText, terminalJson } from "../schemas/terminal-text.ts";
import type { Io } from "./io.ts";
import { coloursFor, stderrColoursFor, type Colours } from "./support/colours.ts";
import type { FeedAddress } from "./support/feed-request.ts";
import { feedObjects } from "./support/feed-objects.ts";
import { fitLine, type Cell } from "./support/fit-line.ts";
import { shortId } from "../shared/short-id.ts";
import { writeText } from "./support/write-text.ts";

/** How objects are printed: for people, one JSON object a line, or one JSON array. */
export type StateFormat = "lines" | "ndjson" | "json";

export interface StateOptions extends FeedAddress {
  readonly format: StateFormat;
  /** `at`, `types`, `namespaces`, `subjects`, `filter`: as GET /v1/state takes them. */
  readonly parameters: Readonly<Record<string, string | readonly string[] | undefined>>;
}

type ObjectFrame = z.infer<typeof objectFrameSchema>;

/** Prints the objects as they are, or were, one line each, and how many there are. */
export async function state(options: StateOptions, io: Io): Promise<void> {
  const { format, parameters } = options;
  const colours = coloursFor(io);
  const columns = io.isTTY ? io.columns() : undefined;
  let count = 0;
  const { cursor } = await feedObjects(options, parameters, io, async (json) => {
    const before = format === "json" ? (count === 0 ? "[" : ",\n") : "";
    count += 1;
    const text = format === "lines" ? objectLine(json, colours, columns) : terminalJson(json);
    await writeText(io.stdout, `${before}${text}${format === "json" ? "" : "\n"}`, io.signal);
  });
  if (format === "json") await writeText(io.stdout, count === 0 ? "[]\n" : "]\n", io.signal);
  const objects = count === 1 ? "1 object" : `${count} objects`;
  io.stderr.write(stderrColoursFor(io).dim(`${objects} as of ${plainText(cursor)}\n`));
}

/** `allocation/5456bd7a  running  web.frontend[3]  default  node worker-1` */
function objectLine(json: string, colours: Colours, columns: number | undefined): string {
  const parsed = objectFrameSchema.safeParse(JSON.parse(json));
  if (!parsed.success) return plainText(json);
  const { resource } = parsed.data.data;
  const cells: readonly [text: string, paint: Cell["paint"], rank: number][] = [
    [
      `${RESOURCES[resource.type].noun}/${columns === undefined ? resource.id : shortId(resource.id)}`,
      colours.bold,
      0,
    ],
    [statusOf(parsed.data), paintOf(parsed.data, colours), 1],
    [resource.name === resource.id ? "" : (resource.name ?? ""), asItIs, 2],
    [resource.namespace === "-" ? "" : resource.namespace, colours.cyan, 3],
    [nodeOf(parsed.data), colours.dim, 4],
    [jobOf(parsed.data), colours.dim, resource.name === resource.id ? 2 : 5],
  ];
  return fitLine(
    cells.map(([text, paint, rank]) => ({ text: plainText(text), paint, rank })),
    columns,
  );
}

function jobOf({ data }: ObjectFrame): string {
  const { type, job } = data.resource;
  return job === undefined || type === "jobs" ? "" : `job ${job}`;
}

function statusOf({ data }: ObjectFrame): string {
  const status = textOf(data, "ClientStatus") || textOf(data, "Status");
  const desired = textOf(data, "DesiredStatus");
  const notes = [
    desired === "" || desired === "run" ? "" : `to ${desired}`,
    data.after?.["Stop"] === true ? "stopped" : "",
    data.after?.["Drain"] === true ? "draining" : "",
    textOf(data, "SchedulingEligibility") === "ineligible" ? "ineligible" : "",
  ];
  return [status, ...notes].filter((text) => text !== "").join(", ");
}

const BAD = new Set(["failed", "lost", "down", "disconnected", "unknown"]);

function paintOf({ data }: ObjectFrame, { red, yellow }: Colours): Cell["paint"] {
  const status = textOf(data, "ClientStatus") || textOf(data, "Status");
  if (BAD.has(status)) return red;
  return status === "blocked" || status === "pending" ? yellow : asItIs;
}

function nodeOf({ data }: ObjectFrame): string {
  const name = textOf(data, "NodeName");
  return name === "" ? "" : `node ${name}`;
}

function textOf({ after }: ObjectFrame["data"], field: string): string {
  const value = after?.[field];
  return typeof value === "string" ? value : "";
}

function asItIs(text: string): string {
  return text;
}

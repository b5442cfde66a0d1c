import { openLogToRead } from "../../src/bridge/log.ts";
import type { FeedLocation } from "../../src/schemas/value-types.ts";
import { equalJson, isJsonObject, parseExact, type Json, type JsonObject } from "../../src/schemas/json.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { until } from "./until.ts";

/** An event of the log, parsed without losing a digit. */
export interface SeenEvent {
  readonly sequence: number;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** Last part of the subject: the object's ID or name. */
  readonly key: string;
  readonly op: string | null;
  readonly severity: string;
  readonly signals: readonly string[];
  readonly before: JsonObject | undefined;
  readonly after: JsonObject | undefined;
  readonly current: string | null;
  readonly previous: string | null;
  readonly mode: string | null;
  readonly via: string | null;
  /** When it was recorded, ms since 1970. */
  readonly recordedMs: number;
  readonly data: JsonObject;
}

export interface Verdict {
  readonly events: number;
  /** Subjects whose folded state is not what Nomad has, with what differs. */
  readonly lost: readonly string[];
  /** Event ids that occur more than once. */
  readonly duplicated: readonly string[];
  /** Sequence gaps and broken rev chains. */
  readonly outOfOrder: readonly string[];
}

/** All events of a log, oldest first; a text is the path of a file. The bridge may be running. */
export async function readLog(from: FeedLocation | string): Promise<SeenEvent[]> {
  const feed = typeof from === "string" ? ({ kind: "sqlite", path: from } as const) : from;
  const log = await openLogToRead(feed, { logger: silentLogger(), clock: systemClock });
  try {
    const { epoch, floor } = await log.head();
    const events: SeenEvent[] = [];
    for (let sequence = floor; ;) {
      const page = await log.read({ epoch, sequence }, { limit: 1000, maxBytes: 64 << 20 });
      if (page.length === 0) return events;
      for (const entry of page) events.push(parseEvent(entry.json));
      sequence = page.at(-1)?.sequence ?? sequence;
    }
  } finally {
    await log[Symbol.asyncDispose]();
  }
}

export function parseEvent(json: string): SeenEvent {
  const event = objectOf(parseExact(json));
  const data = objectOf(event["data"]);
  const rev = isJsonObject(data["rev"]) ? data["rev"] : {};
  const observed = isJsonObject(data["observed"]) ? data["observed"] : {};
  return {
    sequence: Number(textOf(event["sequence"])),
    id: textOf(event["id"]),
    type: textOf(event["type"]),
    subject: textOf(event["subject"]),
    key: textOf(event["subject"]).split("/").slice(2).join("/"),
    severity: textOf(event["severitytext"]),
    op: maybeText(data["op"]),
    signals: Array.isArray(data["signals"]) ? data["signals"].map(textOf) : [],
    before: isJsonObject(data["before"]) ? data["before"] : undefined,
    after: isJsonObject(data["after"]) ? data["after"] : undefined,
    current: maybeText(rev["current"]),
    previous: maybeText(rev["previous"]),
    mode: maybeText(observed["mode"]),
    via: maybeText(observed["via"]),
    recordedMs: Date.parse(maybeText(event["recordedtime"]) ?? ""),
    data,
  };
}

/**
 * Folds a log (written with `--baseline events`) and holds it to the truth: subject → stub as Nomad has it.
 * Needs events small enough to carry their `after`.
 */
export function checkLog(events: readonly SeenEvent[], truth: ReadonlyMap<string, Json>): Verdict {
  const state = new Map<string, JsonObject>();
  const revs = new Map<string, string | null>();
  const ids = new Set<string>();
  const duplicated: string[] = [];
  const outOfOrder: string[] = [];
  let last = (events[0]?.sequence ?? 1) - 1;
  for (const event of events) {
    if (event.sequence !== last + 1) outOfOrder.push(`sequence ${event.sequence} follows ${last}`);
    last = event.sequence;
    if (ids.has(event.id)) duplicated.push(event.id);
    ids.add(event.id);
    if (event.op === null || event.op === "version") continue;
    const known = revs.get(event.subject) ?? null;
    const chains = event.op === "snapshot" || event.mode === "resync" || event.previous === known;
    if (!chains) outOfOrder.push(`${event.id} says it follows ${event.previous}, but ${known} came before`);
    if (event.op === "delete") {
      if (!state.delete(event.subject)) outOfOrder.push(`${event.id} deletes what was not there`);
      revs.delete(event.subject);
    } else if (event.after !== undefined) {
      state.set(event.subject, event.after);
      revs.set(event.subject, event.current);
    }
  }
  return { events: events.length, lost: differences(state, truth), duplicated, outOfOrder };
}

/**
 * Looks until nothing is lost; answers what it saw last, so that who expects nothing to be lost is told what is. Rejects
 * when the last look does.
 */
export async function settledVerdict(look: () => Promise<Verdict>, withinMs?: number): Promise<Verdict> {
  const settles = until(
    "the folded log is what the cluster has",
    async () => {
      const verdict = await look();
      return verdict.lost.length === 0 && verdict;
    },
    withinMs,
  );
  return settles.catch(look);
}

/** What differs between two states, one line a subject. */
function differences(seen: ReadonlyMap<string, Json>, truth: ReadonlyMap<string, Json>): string[] {
  const found: string[] = [];
  for (const [subject, stub] of truth) {
    const ours = seen.get(subject);
    if (ours === undefined) found.push(`${subject} is not in the feed`);
    else if (!equalJson(ours, stub)) found.push(`${subject} differs: ${firstDifference(ours, stub)}`);
  }
  for (const subject of seen.keys()) {
    if (!truth.has(subject)) found.push(`${subject} is in the feed, but not in Nomad`);
  }
  return found;
}

function firstDifference(ours: Json, truth: Json): string {
  if (!isJsonObject(ours) || !isJsonObject(truth)) return "";
  for (const name of new Set([...Object.keys(ours), ...Object.keys(truth)])) {
    const [a, b] = [ours[name], truth[name]];
    if (a === undefined || b === undefined || !equalJson(a, b)) {
      return `${name} is ${JSON.stringify(a)?.slice(0, 200)}, in Nomad ${JSON.stringify(b)?.slice(0, 200)}`;
    }
  }
  return "";
}

function objectOf(value: Json | undefined): JsonObject {
  if (!isJsonObject(value)) throw new Error(`expected a JSON object, got ${JSON.stringify(value)}`);
  return value;
}

function textOf(value: Json | undefined): string {
  if (typeof value !== "string") throw new Error(`expected a text, got ${JSON.stringify(value)}`);
  return value;
}

function maybeText(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}

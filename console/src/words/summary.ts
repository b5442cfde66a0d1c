import type { ChangeEventOf, ControlEvent, JsonChange, SpecChange } from "nomad-changefeed-client";
import { isNanos, msOfNanos } from "./nanos.ts";
import { namesIn } from "./pointer.ts";
import { preciseTime } from "./time.ts";

/** What of an event is told in one line. */
export interface Summary {
  /** The foremost signal in words, or what was done: "failed", "placed", "updated". */
  readonly what: string;
  /** What changed, as "running → failed", or why. "" where there is nothing to tell. */
  readonly detail: string;
}

interface ChangeParts {
  readonly type: string;
  readonly data: {
    readonly op: string;
    readonly signals: readonly string[];
    readonly changes?: readonly JsonChange[] | undefined;
    readonly after?: Readonly<Record<string, unknown>> | undefined;
    readonly before?: Readonly<Record<string, unknown>> | undefined;
    readonly version?: number | undefined;
    readonly spec?: ChangeEventOf["data"]["spec"];
  };
}

/** Changes that tell the most, first: what people would say happened. */
const TELLING = [
  /^\/ClientStatus$/,
  /^\/Status$/,
  /^\/DesiredStatus$/,
  /^\/SchedulingEligibility$/,
  /^\/Drain$/,
  /\/Promoted$/,
  /\/UnhealthyAllocs$/,
  /\/HealthyAllocs$/,
  /\/State$/,
  /\/Healthy$/,
  /\/Restarts$/,
  /^\/Version$/,
  /^\/JobVersion$/,
  /^\/Stop$/,
  /^\/Priority$/,
  /^\/StatusDescription$/,
  /\/Summary\/.*\/(Running|Queued|Failed|Lost)$/,
];

/** What moves with every change, and tells nothing. */
export const BOOKKEEPING = /(ModifyIndex|ModifyTime|SnapshotIndex|UpdateTime|LeaderACL|Timestamp)$/;

/** Signals that say more than whatever comes with them. */
const WORST = /\.(?:failed|lost|oom_killed|down|disconnected)$/;

/** Signals that come with many others, and say less than any of them. */
const USUAL: ReadonlySet<string> = new Set(["task.started", "task.finished"]);

/** An event in words. */
export function summaryOf(event: ChangeParts | ControlEvent): Summary {
  if (event.type.startsWith("nomad.feed.")) return controlSummary(event as ControlEvent);
  const { data } = event as ChangeParts;
  const signal =
    data.signals.find((name) => WORST.test(name)) ??
    data.signals.find((name) => !USUAL.has(name)) ??
    data.signals[0];
  const what = signal === undefined ? verbOf(data.op) : signalWords(signal);
  return { what, detail: [detailOf(data), reasonOf(data)].filter(Boolean).join(" · ") };
}

/** `allocation.oom_killed` → `oom killed` */
export function signalWords(signal: string): string {
  return signal.slice(signal.indexOf(".") + 1).replaceAll("_", " ");
}

function verbOf(op: string): string {
  const verbs: Readonly<Record<string, string>> = {
    create: "created",
    update: "updated",
    delete: "deleted",
    snapshot: "seen",
    version: "submitted",
  };
  return verbs[op] ?? op;
}

function detailOf({ op, changes = [], version, spec }: ChangeParts["data"]): string {
  if (op === "version") return [`version ${version}, overtaken`, specText(spec)].filter(Boolean).join(": ");
  const [first, ...others] = tellingChanges(changes);
  if (first === undefined) return changes.length > 0 ? "bookkeeping only" : "";
  const rest = others.length === 0 ? "" : ` +${others.length}`;
  return `${changeText(first)}${rest}`;
}

/** Without indexes and times, what tells the most first. */
export function tellingChanges(changes: readonly JsonChange[]): JsonChange[] {
  const rank = ({ path }: JsonChange) => {
    const at = TELLING.findIndex((pattern) => pattern.test(path));
    return at === -1 ? TELLING.length : at;
  };
  return changes.filter(({ path }) => !BOOKKEEPING.test(path)).toSorted((a, b) => rank(a) - rank(b));
}

const REDACTED = "[redacted]";

/** `Count 2 → 5 +1`: the first of what a version changed that shows. */
function specText(spec: ChangeParts["data"]["spec"]): string {
  const { changes = [], omitted = 0 } = (spec && "diff" in spec && spec.diff) || {};
  const first = changes.find(({ old, new: now }) => old !== REDACTED && now !== REDACTED) ?? changes[0];
  const rest = changes.length + omitted - 1;
  return first === undefined ? "" : `${changeText(asJsonChange(first))}${rest > 0 ? ` +${rest}` : ""}`;
}

function asJsonChange({ path, old, new: fresh }: SpecChange): JsonChange {
  return { path, ...(old !== undefined && { from: old }), ...(fresh !== undefined && { to: fresh }) };
}

/** `ClientStatus running → failed` */
function changeText({ path, from, to }: JsonChange): string {
  const name = namesIn(path)
    .slice(-2)
    .filter((part) => !/^\d+$/.test(part));
  const label = name.at(-1) ?? path;
  if (from === undefined) return isPlain(to) ? `${label} ${plain(to)}` : `${label} added`;
  if (to === undefined) return `${label} removed`;
  if (isPlain(from) && isPlain(to)) return `${label} ${plain(from)} → ${plain(to)}`;
  return `${label} changed`;
}

function reasonOf({ after, before }: ChangeParts["data"]): string {
  const stub = after ?? before;
  for (const field of ["StatusDescription", "DesiredDescription"]) {
    const text = stub?.[field];
    if (typeof text === "string" && text !== "") return text;
  }
  return "";
}

function isPlain(value: unknown): boolean {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

function plain(value: unknown): string {
  if (value === "") return "“”";
  if (isNanos(value)) return preciseTime(msOfNanos(value) ?? 0);
  return String(value).length > 60 ? `${String(value).slice(0, 59)}…` : String(value);
}

function controlSummary(event: ControlEvent): Summary {
  const scope = "scope" in event.data ? event.data.scope : null;
  const where = scope === null ? "the whole feed" : `${scope.resource} in ${scope.namespace}`;
  switch (event.type) {
    case "nomad.feed.baseline":
      return {
        what: "baseline",
        detail: `${where}: ${event.data.count} objects at index ${event.data.index}`,
      };
    case "nomad.feed.resync":
      return { what: `resync ${event.data.phase}s`, detail: `${where}: ${event.data.reason}` };
    case "nomad.feed.scope":
      return { what: event.data.state.replace("-", " "), detail: `${where}: ${event.data.reason}` };
    case "nomad.feed.epoch":
      return { what: "new history", detail: event.data.reason };
    default:
      return { what: "control", detail: "" };
  }
}

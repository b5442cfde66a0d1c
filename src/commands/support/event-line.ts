import { controlEventSchema, type ControlEventJson } from "../../schemas/control-schema.ts";
import { changeEventSchema, type ChangeData, type ChangeEvent } from "../../schemas/event-schema.ts";
import { parseExact } from "../../schemas/json.ts";
import { isSeverity, type Severity } from "../../schemas/severity.ts";
import type { Colours } from "./colours.ts";

/**
 * One event as one line for people: local time, severity, type, name, namespace, what changed, where.
 *
 *     10:15:30.123 ERROR allocation.updated  web.frontend[3]  default  allocation.failed  ClientStatus running → failed  node fb2170a8
 */
export function eventLine(json: string, colours: Colours, options: { date?: boolean } = {}): string {
  const event = parseExact(json);
  const change = changeEventSchema.safeParse(event);
  if (change.success) return changeLine(change.data, colours, options);
  const control = controlEventSchema.safeParse(event);
  if (control.success) return controlLine(control.data, colours, options);
  return plain(json);
}

interface LineOptions {
  /** Whether to print the date too. */
  readonly date?: boolean;
}

function changeLine(event: ChangeEvent, colours: Colours, options: LineOptions): string {
  const { resource, signals, observed } = event.data;
  const place = [
    ...(resource.job === undefined || resource.type === "jobs" ? [] : [`job ${resource.job}`]),
    ...(resource.node === undefined || resource.type === "nodes"
      ? []
      : [`node ${resource.node.slice(0, 8)}`]),
    ...(observed.mode === "live" ? [] : [observed.mode]),
  ];
  return columns([
    ...lineStart(event, colours, options),
    colours.bold(nameOf(event)),
    resource.namespace === "-" ? "" : colours.cyan(plain(resource.namespace)),
    signals.length === 0 ? "" : paint(event.severitytext, colours)(plain(signals.join(" "))),
    plain(tellingChange(event.data)),
    colours.dim(plain(place.join(" "))),
  ]);
}

function controlLine(event: ControlEventJson, colours: Colours, options: LineOptions): string {
  return columns([...lineStart(event, colours, options), plain(controlText(event))]);
}

function controlText(event: ControlEventJson): string {
  switch (event.type) {
    case "nomad.feed.baseline":
      return `${scopeText(event.data)}  ${event.data.count} objects at index ${event.data.index}`;
    case "nomad.feed.resync":
      return `${scopeText(event.data)}  ${event.data.phase}: ${event.data.reason}`;
    case "nomad.feed.scope":
      return `${scopeText(event.data)}  ${event.data.state}: ${event.data.reason}`;
    case "nomad.feed.epoch":
      return `${event.data.previous ?? "none"} → ${event.data.current}: ${event.data.reason}`;
    default:
      return event satisfies never;
  }
}

function scopeText({ scope }: { scope: { resource: string; namespace: string } }): string {
  return `${scope.resource}/${scope.namespace}`;
}

function lineStart(
  event: { time: string; type: string; severitytext: string },
  colours: Colours,
  options: LineOptions,
): string[] {
  const severity = isSeverity(event.severitytext) ? event.severitytext : "INFO";
  return [
    `${colours.dim(localTime(event.time, options.date === true))} ${paint(severity, colours)(severity.padEnd(5))} ` +
      event.type.replace(/^nomad\./, "").padEnd(18),
  ];
}

function paint(severity: Severity, colours: Colours): (text: string) => string {
  if (severity === "ERROR" || severity === "FATAL") return colours.red;
  if (severity === "WARN") return colours.yellow;
  return severity === "INFO" ? colours.green : colours.dim;
}

/** What people look at first, best first. */
const TELLING = [
  /^\/ClientStatus$/,
  /^\/Status$/,
  /^\/DesiredStatus$/,
  /^\/Drain$/,
  /^\/SchedulingEligibility$/,
  /^\/Stop$/,
  /^\/DeploymentStatus\/Healthy$/,
  /^\/TaskStates\/[^/]+\/(State|Restarts)$/,
  /^\/TaskGroups\/[^/]+\/(Promoted|HealthyAllocs|UnhealthyAllocs|PlacedAllocs)$/,
  /^\/JobSummary\/Summary\//,
  /^\/StatusDescription$/,
];

/** What changes with every version and says nothing by itself. */
const BOOKKEEPING = /\/(ModifyIndex|JobModifyIndex|ModifyTime|SnapshotIndex|LastRestart|Timestamp)$/;

function tellingChange({ op, changes = [], after, before }: ChangeData): string {
  if (op !== "update") return statusOf(after ?? before);
  const telling = changes.filter(({ path }) => !BOOKKEEPING.test(path));
  const candidates = telling.filter(({ from, to }) => isScalar(from) && isScalar(to));
  const best = TELLING.map((path) => candidates.find((change) => path.test(change.path))).find(
    (change) => change !== undefined,
  );
  const shown = best ?? candidates[0] ?? (telling.length === 0 ? changes[0] : undefined);
  if (shown === undefined) return telling[0] === undefined ? "" : `${pathText(telling[0].path)} changed`;
  const others = telling.length > 1 ? ` (+${telling.length - 1})` : "";
  return `${pathText(shown.path)} ${valueText(shown.from)} → ${valueText(shown.to)}${others}`;
}

function statusOf(stub: Readonly<Record<string, unknown>> | undefined): string {
  const status = stub?.["ClientStatus"] ?? stub?.["Status"];
  return typeof status === "string" ? status : "";
}

function nameOf({ data: { resource } }: ChangeEvent): string {
  const name = resource.name ?? resource.id;
  const isUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-/.test(name);
  return plain(isUuid ? name.slice(0, 8) : name);
}

/** `/JobSummary/Summary/web/Running` → `web/Running`: the parts that say something. */
function pathText(path: string): string {
  const parts = path
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  const dull = ["JobSummary", "Summary", "TaskStates", "TaskGroups"];
  return parts.filter((part) => !dull.includes(part)).join("/");
}

function isScalar(value: unknown): boolean {
  return value === undefined || value === null || typeof value !== "object" || JSON.isRawJSON(value);
}

function valueText(value: unknown): string {
  if (value === undefined) return "∅";
  if (typeof value === "string")
    return value === "" ? '""' : value.length > 60 ? `${value.slice(0, 60)}…` : value;
  return JSON.stringify(value);
}

/** HH:MM:SS.mmm of an RFC 3339 time, in the local zone. */
function localTime(time: string, date: boolean): string {
  const at = new Date(time);
  const two = (part: number) => String(part).padStart(2, "0");
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
  return date ? `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock}` : clock;
}

function columns(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("  ");
}

/** Names come from outside: nothing in them may steer the terminal. */
function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what must go
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "�");
}

import { SIGNALS } from "../../events/signals.ts";
import { controlEventSchema, type ControlEventJson } from "../../schemas/control-schema.ts";
import { changeEventSchema, type ChangeEvent } from "../../schemas/event-schema.ts";
import { parseExact } from "../../schemas/json.ts";
import { isSeverity, type Severity } from "../../schemas/severity.ts";
import { plainText } from "../../schemas/terminal-text.ts";
import type { Colours } from "./colours.ts";
import { fitLine, type Cell } from "./fit-line.ts";
import { reasonOf, tellingChange } from "./telling-change.ts";
import { timeText } from "./times.ts";
import { shortId } from "../../shared/short-id.ts";

/**
 * One event as one line for people: time, severity, what happened, name, namespace, what changed, why, by whom, what
 * else happened, where. What happened is the event's foremost signal, or else its type.
 *
 *     2026-08-22T10:15:30Z ERROR allocation.failed   web.frontend[3]  default  ClientStatus running → failed  node fb2170a8
 *
 * On a terminal of `columns` the last are left out first, as far as they find no room.
 */
export function eventLine(json: string, colours: Colours, columns?: number): string {
  const event = parseExact(json);
  const change = changeEventSchema.safeParse(event);
  if (change.success) return fitLine(changeCells(change.data, colours), columns);
  const control = controlEventSchema.safeParse(event);
  if (control.success) return fitLine(controlCells(control.data, colours), columns);
  return fitLine([{ text: plainText(json), paint: (text) => text, rank: 0 }], columns);
}

function changeCells(event: ChangeEvent, colours: Colours): Cell[] {
  const { resource, signals, observed } = event.data;
  const severity = severityOf(event);
  const lead = leadingSignal(signals, severity);
  const job = resource.job === undefined || resource.type === "jobs" ? "" : `job ${resource.job}`;
  const node = resource.node === undefined || resource.type === "nodes" ? "" : `node ${nodeOf(event)}`;
  const cells: [text: string, paint: (text: string) => string, rank: number][] = [
    [nameOf(event), colours.bold, 1],
    [resource.namespace === "-" ? "" : resource.namespace, colours.cyan, 2],
    [tellingChange(event.data), asItIs, 3],
    [reasonOf(event.data, severity), asItIs, 4],
    [actorText(event.data), colours.bold, 4],
    [signals.filter((name) => name !== lead).join(" "), paintOf(severity, colours), 6],
    [node, colours.dim, 5],
    [job, colours.dim, 7],
    [observed.mode === "live" ? "" : observed.mode, colours.dim, 8],
  ];
  return [
    ...startOfLine(event, lead ?? verbOf(event), colours),
    ...cells.map(([text, paint, rank]) => ({ text: plainText(text), paint, rank })),
  ];
}

function controlCells(event: ControlEventJson, colours: Colours): Cell[] {
  return [
    ...startOfLine(event, verbOf(event), colours),
    { text: plainText(controlText(event)), paint: asItIs, rank: 1 },
  ];
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

function scopeText({ scope }: { scope: { resource: string; namespace: string } | null }): string {
  return scope === null ? "the whole feed" : `${scope.resource}/${scope.namespace}`;
}

/** When, how bad, what: always shown. */
function startOfLine(
  event: { time: string; severitytext: string },
  what: string,
  colours: Colours,
): readonly Cell[] {
  const severity = severityOf(event);
  const paint = paintOf(severity, colours);
  const painted = (text: string) => {
    const [time = "", word = "", ...rest] = text.split(" ");
    return `${colours.dim(time)} ${paint(word)} ${rest.join(" ")}`;
  };
  const text = `${timeText(event.time)} ${severity.padEnd(5)} ${plainText(what).padEnd(18)}`;
  return [{ text, paint: painted, rank: 0 }];
}

function severityOf({ severitytext }: { severitytext: string }): Severity {
  return isSeverity(severitytext) ? severitytext : "INFO";
}

/** `nomad.allocation.updated` → `allocation.updated`. */
function verbOf({ type }: { type: string }): string {
  return type.replace(/^nomad\./, "");
}

const SEVERITY_OF_SIGNAL = new Map<string, Severity>(SIGNALS.map(({ name, severity }) => [name, severity]));

/** The first of those that give the event its severity. */
function leadingSignal(signals: readonly string[], severity: Severity): string | undefined {
  return signals.find((name) => SEVERITY_OF_SIGNAL.get(name) === severity) ?? signals[0];
}

/** `by deploy-ci`, or `by token 3d8b1a3e`. */
function actorText({ actor }: ChangeEvent["data"]): string {
  if (actor === undefined) return "";
  return `by ${actor.name ?? `${actor.kind} ${shortId(actor.id)}`}`;
}

function nameOf({ data: { resource } }: ChangeEvent): string {
  return shortId(resource.name ?? resource.id);
}

/** Its name, as an allocation tells it, or the beginning of its id. */
function nodeOf({ data: { resource, after, before } }: ChangeEvent): string {
  const name = (after ?? before)?.["NodeName"];
  return typeof name === "string" && name !== "" ? name : shortId(resource.node ?? "");
}

function paintOf(severity: Severity, colours: Colours): (text: string) => string {
  if (severity === "ERROR" || severity === "FATAL") return colours.red;
  if (severity === "WARN") return colours.yellow;
  return severity === "INFO" ? colours.green : colours.dim;
}

function asItIs(text: string): string {
  return text;
}

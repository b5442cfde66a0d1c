import type { EventFacts } from "../feed/event-facts.ts";

/** What can stand in a line of an event, in this order. */
export const EVENT_COLUMNS = [
  // Wider where there is room: of another day it has the day too.
  { id: "time", label: "Time", track: "minmax(72px, 112px)" },
  { id: "severity", label: "Severity", track: "58px" },
  { id: "what", label: "Event", track: "minmax(84px, 136px)" },
  { id: "object", label: "Object", track: "minmax(110px, 224px)" },
  { id: "namespace", label: "Namespace", track: "minmax(56px, 96px)" },
  { id: "job", label: "Job", track: "minmax(70px, 150px)" },
  { id: "node", label: "Node", track: "78px" },
  { id: "op", label: "Op", track: "64px" },
  { id: "aspect", label: "Aspect", track: "84px" },
  { id: "detail", label: "What changed", track: "minmax(90px, 1fr)" },
  { id: "signals", label: "Signals", track: "minmax(0, 172px)" },
  { id: "cursor", label: "Cursor", track: "120px" },
] as const;
export type EventColumn = (typeof EVENT_COLUMNS)[number]["id"];

export const USUAL_COLUMNS: readonly EventColumn[] = [
  "time",
  "severity",
  "what",
  "object",
  "namespace",
  "detail",
  "signals",
];

export type Density = "compact" | "normal" | "detailed";
export const DENSITIES: readonly Density[] = ["compact", "normal", "detailed"];

const ROW_PX: Readonly<Record<Density, number>> = { compact: 24, normal: 32, detailed: 52 };
const NARROW_PX: Readonly<Record<Density, number>> = { compact: 46, normal: 52, detailed: 70 };

/** Px of one line. On a phone it has two lines of text, or three. */
export function eventLinePx(density: Density, narrow: boolean): number {
  return (narrow ? NARROW_PX : ROW_PX)[density];
}

/** With milliseconds. */
const PRECISE_TIME = "92px";

/** Tracks of the CSS grid that lines and their header share. In detailed lines what changed has a line of its own. */
export function tracksOf(
  columns: readonly EventColumn[],
  density: Density = "normal",
  time: "age" | "clock" | "precise" = "clock",
): string {
  const isDetailed = density === "detailed";
  const own = EVENT_COLUMNS.filter(({ id }) => columns.includes(id) && !(isDetailed && id === "detail"));
  const tracks = own.map(({ id, track }) => {
    if (id === "time" && time === "precise") return PRECISE_TIME;
    return isDetailed && id === "signals" ? REST : track;
  });
  return tracks.some((track) => track.includes("1fr")) ? tracks.join(" ") : `${tracks.join(" ")} ${REST}`;
}

const REST = "minmax(0, 1fr)";

/** A field of an event that others can have the same value of. */
export const FIELDS = [
  "type",
  "severity",
  "namespace",
  "job",
  "node",
  "signal",
  "op",
  "aspect",
  "subject",
] as const;
export type Field = (typeof FIELDS)[number];

/** What of it a field has. */
export function valuesOf(event: EventFacts, field: Field): readonly string[] {
  if (field === "signal") return event.signals;
  const value = field === "type" ? event.resource : event[field];
  return value === "" ? [] : [value];
}

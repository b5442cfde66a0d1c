import { CORE_TYPES } from "../../src/schemas/resources.ts";
import type { Simulator } from "../../packages/nomad-simulator/src/index.ts";
import type { LogLine } from "./bridge-process.ts";
import type { Traces } from "./chaos-traces.ts";
import type { SeenEvent, Verdict } from "./feed-check.ts";

const MOST_SCOPES = 3;
const MOST_LINES = 80;
const SUBJECT = new RegExp(String.raw`\b(${CORE_TYPES.join("|")})/([^/\s]+)/([^@!\s]+)`);

/** Says of what is wrong in a verdict, scope by scope, who held it, what Nomad has, and what was logged of it. */
export function accountOf(
  verdict: Verdict,
  story: { traces: Traces; events: readonly SeenEvent[]; simulator: Simulator },
): string[] {
  const wrong = [...verdict.lost, ...verdict.duplicated, ...verdict.outOfOrder].flatMap(
    (line) => SUBJECT.exec(line)?.[0] ?? [],
  );
  const firstOf = new Map(wrong.toReversed().map((subject) => [scopeOf(subject), subject]));
  return [...firstOf].slice(-MOST_SCOPES).flatMap(([scope, subject]) => {
    const { traces, events, simulator } = story;
    const [resource] = scope.split("/") as [(typeof CORE_TYPES)[number]];
    return [
      `--- ${scope}`,
      ...assignmentLines(traces, scope),
      `Nomad: index ${simulator.cluster.state.indexOf(resource)} of ${resource}, ${simulator.index} in all`,
      ...events.filter((event) => event.subject === subject).map(eventLine),
      ...logLines(traces, scope),
    ];
  });
}

/** Says why the feed is not watched whole. */
export function accountOfAssignments({ assignments, processes }: Traces): string[] {
  const open = assignments.filter(({ state, condition }) => state !== "held" || (condition ?? "ok") !== "ok");
  if (open.length === 0) return processes.flatMap(({ name, lines }) => lines.slice(-10).map(lineOf(name)));
  return open
    .slice(0, MOST_SCOPES)
    .flatMap((status) => [
      `--- ${JSON.stringify(status)}`,
      ...logLines({ assignments, processes }, status.assignment),
    ]);
}

function scopeOf(subject: string): string {
  return subject.split("/").slice(0, 2).join("/");
}

function assignmentLines({ assignments }: Traces, scope: string): string[] {
  const [resource] = scope.split("/");
  const found = assignments.filter(
    ({ assignment }) => assignment === scope || assignment === `${resource}/*`,
  );
  if (found.length > 0) return found.map((status) => JSON.stringify(status));
  return [`not planned; these are: ${assignments.map(({ assignment }) => assignment).join(", ")}`];
}

function eventLine({ id, op, mode, previous, current, sequence, recordedMs, data }: SeenEvent): string {
  const at = new Date(recordedMs).toISOString();
  return `${at} event ${sequence}: ${op} ${id}, ${mode}, ${previous} -> ${current}, ${JSON.stringify(data["observed"])}`;
}

/** The end of what all processes logged of a scope, in the order of time, with what was done to them. */
function logLines({ processes }: Traces, scope: string): string[] {
  return processes
    .flatMap(({ name, lines }) => lines.map((line) => ({ line, text: lineOf(name)(line) })))
    .filter(({ line, text }) => line.level === "chaos" || text.includes(`"${scope}"`))
    .toSorted((a, b) => timeOf(a.line) - timeOf(b.line))
    .slice(-MOST_LINES)
    .map(({ text }) => text);
}

function lineOf(name: string): (line: LogLine) => string {
  return ({ time, ...line }) => `${String(time)} ${name}: ${JSON.stringify(line).slice(0, 1000)}`;
}

function timeOf({ time }: LogLine): number {
  return typeof time === "string" ? Date.parse(time) : 0;
}

import { placementReasons } from "../../schemas/placement.ts";
import { textOf } from "../../alerts/model/stub.ts";
import { SIGNALS } from "../../events/signals.ts";
import { subjectOf } from "../../schemas/resources.ts";
import type { Severity } from "../../schemas/severity.ts";
import type { WhyStep } from "../../schemas/why-schema.ts";
import { beginningWords, evaluatedWords, signalWords } from "./event-words.ts";
import type { EventFact, Facts, ObjectFact } from "./facts.ts";
import { taskSteps } from "./task-steps.ts";
import { timeIn } from "./times.ts";

/** Steps that are answered; of a longer story the newest. */
export const MAX_STEPS = 200;

const SEVERITY = new Map<string, Severity>(SIGNALS.map(({ name, severity }) => [name, severity]));
/** Who goes first of what happened at one time: causes before effects. */
const RANKS = ["nodes", "jobs", "evaluations", "deployments", "allocations"];
/** What became of an allocation is told after what became of its tasks. */
const ENDS = /^allocation\.(?:failed|completed|lost|unhealthy|rescheduled)$/u;

/** A node's own events carry the time at which they were seen. */
const SEEN_LATE_MS = 5000;

/** A step, and its place among those of the same time. */
interface Ranked {
  readonly step: WhyStep;
  readonly rank: number;
}

/** What happened to the objects, oldest first. */
export function storyOf(facts: Facts): WhyStep[] {
  const objects = [...facts.objects.values()];
  const ranked = objects.flatMap((object) => {
    const own = stepsOf(object).toSorted(byTime);
    const isSubject = subjectOf(object.ref) === subjectOf(facts.subject);
    return lasts(object) && !isSubject ? within(own, spanOf(object, objects)) : own;
  });
  return ranked.toSorted(byTime).map(({ step }) => step);
}

function stepsOf(object: ObjectFact): Ranked[] {
  const rank = RANKS.indexOf(object.ref.resource);
  const tasks = object.ref.resource === "allocations" ? taskSteps(object) : [];
  return [
    ...withoutEvents(object).map((step) => ({ step, rank })),
    ...object.events.flatMap((event) => eventSteps(object, event, rank)),
    ...tasks.map((step) => ({ step, rank: rank + 1 })),
  ];
}

function eventSteps(object: ObjectFact, event: EventFact, rank: number): Ranked[] {
  const { time, cursor, stub, version } = event;
  const subject = subjectOf(object.ref);
  const said = event.signals.flatMap((signal): Ranked[] => {
    const told = signalWords(signal, object, stub);
    if (told === undefined) return [];
    const words = version === undefined ? told : `${told} (version ${version}, overtaken)`;
    const severity = SEVERITY.get(signal) ?? event.severity;
    return [{ step: { time, subject, cursor, words, severity }, rank: ENDS.test(signal) ? rank + 2 : rank }];
  });
  if (event.op !== "create" || object.ref.resource !== "evaluations") return said;
  const words = evaluatedWords(object.ref, stub);
  return [{ step: { time, subject, cursor, words, severity: "INFO" }, rank }, ...said];
}

/** What an object says of itself that the log has no event of. */
function withoutEvents(object: ObjectFact): WhyStep[] {
  const { ref, stub, events } = object;
  const subject = subjectOf(ref);
  const begun = timeIn(stub, ref.resource === "jobs" ? "SubmitTime" : "CreateTime");
  const beginning = beginningWords(object);
  const isTold = ref.resource === "jobs" ? events.length > 0 : events[0]?.op === "create";
  const steps: WhyStep[] = [];
  if (!isTold && begun !== undefined && beginning !== undefined) {
    steps.push({ time: begun, subject, words: beginning, severity: "INFO" });
  }
  const changed = timeIn(stub, "ModifyTime");
  const signal = stateSignal(object);
  const words = signal === undefined ? undefined : signalWords(signal, object, stub);
  if (events.length > 0 || changed === undefined || words === undefined) return steps;
  const severity = SEVERITY.get(signal ?? "") ?? "INFO";
  return [...steps, { time: changed, subject, words, severity }];
}

/** The signal that an object's state amounts to, where no event tells how it came to that. */
function stateSignal({ ref, stub }: ObjectFact): string | undefined {
  if (ref.resource === "evaluations") {
    return textOf(stub, "Status") === "blocked" || placementReasons(stub).length > 0
      ? "evaluation.blocked"
      : undefined;
  }
  if (ref.resource === "deployments" && textOf(stub, "Status") === "failed") return "deployment.failed";
  const isStopped = ref.resource === "allocations" && textOf(stub, "DesiredStatus") === "stop";
  return isStopped ? "allocation.stop_requested" : undefined;
}

function lasts({ ref }: ObjectFact): boolean {
  return ref.resource === "jobs" || ref.resource === "nodes";
}

/** In ms since 1970. */
interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A node counts while something on it does that is told of; a job from when the first of it began. */
function spanOf({ ref }: ObjectFact, objects: readonly ObjectFact[]): Span {
  const passing = objects.filter((object) => !lasts(object));
  const onIt = passing.filter(({ stub }) => textOf(stub, "NodeID") === ref.key);
  const own = ref.resource === "nodes" && onIt.length > 0 ? onIt : passing;
  return {
    fromMs: Math.min(Number.POSITIVE_INFINITY, ...own.map(beganMs)),
    toMs: own === onIt ? Math.max(...own.map(endedMs)) : Number.POSITIVE_INFINITY,
  };
}

function beganMs({ stub, events }: ObjectFact): number {
  const time = timeIn(stub, "CreateTime") ?? events[0]?.time;
  return time === undefined ? Number.POSITIVE_INFINITY : Date.parse(time);
}

/** Infinite for what has not ended. */
function endedMs({ stub, events }: ObjectFact): number {
  const hasEnded = ["complete", "failed", "lost", "canceled"].some((status) =>
    [textOf(stub, "ClientStatus"), textOf(stub, "Status")].includes(status),
  );
  const time = timeIn(stub, "ModifyTime") ?? events.at(-1)?.time;
  return hasEnded && time !== undefined ? Date.parse(time) + SEEN_LATE_MS : Number.POSITIVE_INFINITY;
}

/** Of a job and a node what was long before tells nothing, but the last of it does; so does nothing that came after. */
function within(sorted: readonly Ranked[], { fromMs, toMs }: Span): Ranked[] {
  const before = sorted.filter(({ step }) => Date.parse(step.time) <= fromMs);
  const since = sorted.filter(({ step }) => Date.parse(step.time) > fromMs && Date.parse(step.time) <= toMs);
  return [...before.slice(-1), ...since];
}

function byTime(a: Ranked, b: Ranked): number {
  return Date.parse(a.step.time) - Date.parse(b.step.time) || a.rank - b.rank;
}

import type { JsonObject } from "../../schemas/json.ts";
import { inside, isFilled, numberOf, objectsIn, textInside, textOf } from "./stub.ts";

/**
 * failing: it failed and is still wanted; lost, unknown: its node is down or disconnected; leaving: it was told to
 * stop, or to move, and has not ended.
 */
export type Trouble = "failing" | "lost" | "unknown" | "leaving";

/** An allocation that something is wrong with, or that is on its way out. All others are not kept. */
export interface TroubledAllocation {
  readonly id: string;
  readonly namespace: string;
  /** The job it is counted for: of a periodic or dispatched child, its parent. */
  readonly job: string;
  readonly group: string;
  /** Which of the job's versions it is of; "" where they are not told apart, as no deployment speaks of them. */
  readonly version: string;
  readonly node: string;
  readonly nodeName: string;
  readonly trouble: Trouble;
  /** It was rescheduled before, failed again, and nothing follows. */
  readonly isExhausted: boolean;
  /** Exit code of the task that failed, "" where none is told: a driver or an artifact failed. */
  readonly exitCode: string;
  readonly wasOutOfMemory: boolean;
  /** The last things that Nomad says of the task that failed. */
  readonly lastEvents: string;
  readonly createIndex: number;
}

/** Nomad names the children of a job after it. */
const CHILD = /^(.+)\/(?:periodic|dispatch)-\d+(?:-[0-9a-f]{8})?$/u;

/** The job that alerts speak of: the parent of a periodic or dispatched child, else the job itself. */
export function familyOf(job: string): string {
  return CHILD.exec(job)?.[1] ?? job;
}

/** Where an allocation belongs, whether or not anything is wrong with it. */
export interface Place {
  readonly namespace: string;
  readonly job: string;
  readonly group: string;
  readonly version: string;
  readonly isBatch: boolean;
  readonly createIndex: number;
}

export function placeOf(stub: JsonObject): Place {
  const type = textOf(stub, "JobType");
  const isBatch = type === "batch" || type === "sysbatch";
  return {
    namespace: textOf(stub, "Namespace"),
    job: familyOf(textOf(stub, "JobID")),
    group: textOf(stub, "TaskGroup"),
    version: isBatch ? "" : String(numberOf(stub, "JobVersion")),
    isBatch,
    createIndex: numberOf(stub, "CreateIndex"),
  };
}

export function troubleOf(stub: JsonObject): Trouble | undefined {
  const [client, desired] = [textOf(stub, "ClientStatus"), textOf(stub, "DesiredStatus")];
  if (client === "lost" || client === "unknown") return client;
  if (client === "failed")
    return desired === "run" && !isFilled(stub, "NextAllocation") ? "failing" : undefined;
  const isAlive = client === "running" || client === "pending";
  const isToMove = inside(stub, "DesiredTransition", "Migrate") === true;
  return isAlive && (desired !== "run" || isToMove) ? "leaving" : undefined;
}

export function troubledAllocation(id: string, stub: JsonObject, trouble: Trouble): TroubledAllocation {
  const { namespace, job, group, version, createIndex } = placeOf(stub);
  return {
    id,
    namespace,
    job,
    group,
    version,
    node: textOf(stub, "NodeID"),
    nodeName: textOf(stub, "NodeName"),
    trouble,
    isExhausted: trouble === "failing" && isExhausted(stub),
    createIndex,
    ...(trouble === "failing" ? endOf(stub) : NO_END),
  };
}

const NO_END = { exitCode: "", wasOutOfMemory: false, lastEvents: "" };

/** A follow-up evaluation means that another attempt is due. System jobs are never rescheduled. */
function isExhausted(stub: JsonObject): boolean {
  const attempts = inside(stub, "RescheduleTracker", "Events");
  const isRescheduled = Array.isArray(attempts) && attempts.length > 0;
  return isRescheduled && !isFilled(stub, "FollowupEvalID");
}

const MAX_TEXT = 200;

/** How the task that failed ended. Exit codes stand in the events of the tasks only, of which Nomad keeps ten. */
function endOf(stub: JsonObject): Pick<TroubledAllocation, "exitCode" | "wasOutOfMemory" | "lastEvents"> {
  const tasks = inside(stub, "TaskStates");
  const [name, task] =
    Object.entries(tasks ?? {}).find(([, state]) => inside(state, "Failed") === true) ?? [];
  if (name === undefined) return NO_END;
  const events = objectsIn(inside(task, "Events"));
  const end = events.findLast((event) => event["Type"] === "Terminated");
  const words = events.slice(-2).map((event) => textOf(event, "DisplayMessage"));
  return {
    exitCode: textInside(end, "Details", "exit_code"),
    wasOutOfMemory: textInside(end, "Details", "oom_killed") === "true",
    lastEvents: `${name}: ${words.filter((text) => text !== "").join("; ")}`.slice(0, MAX_TEXT),
  };
}

import { msOfNanos } from "../../../words/nanos.ts";
import { taskEventWords } from "../../../words/task-events.ts";
import type { Bar, Lane, Mark } from "./lane.ts";
import { endMs, type Track } from "./track.ts";

interface TaskEvent {
  readonly type: string;
  readonly ms: number;
  readonly words: string;
  readonly isBad: boolean;
  /** Of the event of the feed that first had it. */
  readonly cursor: string | null;
}

interface Task {
  readonly state: Readonly<Record<string, unknown>>;
  /** By type and time: an allocation keeps the ten newest only, its history has all. */
  readonly events: Map<string, TaskEvent>;
}

/** A lane for each task of an allocation: when it was set up, ran and waited to run again, and how it ended. */
export function taskLanes(track: Track): Lane[] {
  const tasks = new Map<string, Task>();
  for (const { stub, cursor } of track.steps) takeTasks(tasks, stub?.["TaskStates"], cursor);
  // Of an object that no event holds, there is what it is now.
  takeTasks(tasks, track.stub?.["TaskStates"], null);
  return [...tasks]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, task]) => laneOf(name, task, endMs(track)));
}

function takeTasks(tasks: Map<string, Task>, states: unknown, cursor: string | null): void {
  for (const [name, state] of Object.entries(membersOf(states))) {
    const events = tasks.get(name)?.events ?? new Map<string, TaskEvent>();
    tasks.set(name, { state: membersOf(state), events });
    const listed: unknown = membersOf(state)["Events"];
    for (const value of Array.isArray(listed) ? listed : []) {
      const event = taskEventOf(membersOf(value), cursor);
      if (event === undefined) continue;
      const key = `${event.type} ${event.ms}`;
      if (!events.has(key)) events.set(key, event);
    }
  }
}

function taskEventOf(value: Readonly<Record<string, unknown>>, cursor: string | null): TaskEvent | undefined {
  const { Type: type, Time: time } = value;
  const ms = msOfNanos(time);
  if (typeof type !== "string" || ms === null) return undefined;
  return { type, ms, words: taskEventWords(value) ?? type, isBad: isBad(type, value), cursor };
}

const BAD_TYPES = /Failure|Failed|Not Restarting|Exceeded|Sibling|Unhealthy/;

function isBad(type: string, value: Readonly<Record<string, unknown>>): boolean {
  if (type === "Terminated") {
    const details = membersOf(value["Details"]);
    return (details["exit_code"] ?? "0") !== "0" || details["oom_killed"] === "true";
  }
  return value["FailsTask"] === true || BAD_TYPES.test(type);
}

function laneOf(name: string, { state, events }: Task, goneMs: number | null): Lane {
  const inOrder = [...events.values()].toSorted((a, b) => a.ms - b.ms);
  const marks = inOrder.map(({ ms, words, isBad: bad, cursor }): Mark => ({
    ms,
    words,
    shape: bad ? "cross" : "dot",
    cursor,
  }));
  return { id: `task:${name}`, label: name, noun: "task", bars: barsOf(inOrder, state, goneMs), marks };
}

/** What an event of a task begins: null where it ends something and begins nothing. */
const BEGINS: Readonly<Record<string, Pick<Bar, "word" | "tone"> | null>> = {
  Received: { word: "setting up", tone: "wait" },
  "Task Setup": { word: "setting up", tone: "wait" },
  Started: { word: "running", tone: "ok" },
  Restarting: { word: "restarting", tone: "wait" },
  Terminated: null,
  Killed: null,
  "Not Restarting": null,
};

function barsOf(
  events: readonly TaskEvent[],
  state: Readonly<Record<string, unknown>>,
  goneMs: number | null,
): Bar[] {
  const bars: Bar[] = [];
  const end = (ms: number) => {
    const last = bars.at(-1);
    if (last?.toMs === null) bars[bars.length - 1] = { ...last, toMs: ms };
  };
  for (const { type, ms, cursor } of events) {
    const begins = BEGINS[type];
    if (begins === undefined) continue;
    const last = bars.at(-1);
    if (begins !== null && last?.toMs === null && last.word === begins.word) continue;
    end(ms);
    if (begins !== null) bars.push({ fromMs: ms, toMs: null, ...begins, cursor });
  }
  const earlier = runBefore(bars, state);
  const finishedMs = dateMs(state["FinishedAt"]) ?? goneMs;
  if (state["State"] === "dead" && finishedMs !== null) end(finishedMs);
  else if (goneMs !== null) end(goneMs);
  return [...earlier, ...bars];
}

/** That it began to run is not among the events any more. */
function runBefore(bars: readonly Bar[], state: Readonly<Record<string, unknown>>): Bar[] {
  const startedMs = dateMs(state["StartedAt"]);
  if (startedMs === null || bars.some(({ word }) => word === "running")) return [];
  const toMs = bars[0]?.fromMs ?? dateMs(state["FinishedAt"]);
  return [{ fromMs: startedMs, toMs, word: "running", tone: "ok", cursor: null }];
}

function dateMs(value: unknown): number | null {
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  // Go's zero time is a year that nobody means.
  return Number.isNaN(ms) || ms < 0 ? null : ms;
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

import { goTime } from "../go-time.ts";
import type { AllocationStub, ClientStatus, TaskEvent, TaskState } from "../model/allocation.ts";

/** Nomad keeps the newest ten events of a task. */
const MAX_TASK_EVENTS = 10;

const NO_DETAILS: ReadonlyMap<string, string> = new Map();

export const NEW_TASK: TaskState = {
  Events: [],
  Failed: false,
  FinishedAt: null,
  LastRestart: null,
  Paused: "",
  Restarts: 0,
  StartedAt: null,
  State: "pending",
};

type EventInput = Omit<TaskEvent, "Time" | "Details" | "Message"> &
  Partial<Pick<TaskEvent, "Details" | "Message">>;

/** Adds an event to the ring. */
function withEvent(state: TaskState, time: bigint, event: EventInput): TaskState {
  const full: TaskEvent = { Details: NO_DETAILS, Message: "", ...event, Time: time };
  return { ...state, Events: [...state.Events, full].slice(-MAX_TASK_EVENTS) };
}

export function receive(state: TaskState, time: bigint): TaskState {
  const received = withEvent(state, time, { Type: "Received", DisplayMessage: "Task received by client" });
  const text = "Building Task Directory";
  return withEvent(received, time + 1_410_748n, {
    Type: "Task Setup",
    DisplayMessage: text,
    Message: text,
    Details: new Map([["message", text]]),
  });
}

export function start(state: TaskState, time: bigint): TaskState {
  const started = withEvent(state, time, { Type: "Started", DisplayMessage: "Task started by client" });
  return { ...started, StartedAt: goTime(time), State: "running" };
}

export interface Exit {
  readonly exitCode: number;
  readonly signal?: number;
  readonly oomKilled?: boolean;
}

function terminate(state: TaskState, time: bigint, exit: Exit): TaskState {
  const signal = exit.signal ?? 0;
  const oom = exit.oomKilled === true;
  const parts = [`Exit Code: ${exit.exitCode}`, signal > 0 ? `Signal: ${signal}` : ""];
  if (oom) parts.push('Exit Message: "OOM Killed"');
  return withEvent(state, time, {
    Type: "Terminated",
    DisplayMessage: parts.filter((part) => part !== "").join(", "),
    Details: new Map([
      ["exit_code", String(exit.exitCode)],
      ["signal", String(signal)],
      ["oom_killed", String(oom)],
    ]),
    ExitCode: exit.exitCode,
    Signal: signal,
  });
}

/** A restart in place: the task is pending until it starts again. */
export function restart(state: TaskState, time: bigint, exit: Exit): TaskState {
  const delay = 1_081_240_936n;
  const ended = withEvent(terminate(state, time, exit), time + 90_000n, {
    Type: "Restarting",
    DisplayMessage: "Task restarting in 1.081240936s",
    Details: new Map([
      ["restart_reason", "Restart within policy"],
      ["start_delay", delay.toString()],
    ]),
    RestartReason: "Restart within policy",
    StartDelay: delay,
  });
  return { ...ended, LastRestart: goTime(time + 90_000n), Restarts: state.Restarts + 1, State: "pending" };
}

export function fail(state: TaskState, time: bigint, exit: Exit): TaskState {
  const reason = 'Exceeded allowed attempts 2 in interval 30m0s and mode is "fail"';
  const ended = withEvent(terminate(state, time, exit), time + 80_000n, {
    Type: "Not Restarting",
    DisplayMessage: reason,
    Details: new Map([
      ["restart_reason", reason],
      ["fails_task", "true"],
    ]),
    FailsTask: true,
    RestartReason: reason,
  });
  return { ...ended, Failed: true, FinishedAt: goTime(time + 80_000n), State: "dead" };
}

export function complete(state: TaskState, time: bigint): TaskState {
  return { ...terminate(state, time, { exitCode: 0 }), FinishedAt: goTime(time), State: "dead" };
}

export function kill(state: TaskState, time: bigint): TaskState {
  if (state.State === "dead") return state;
  const killing = withEvent(state, time, {
    Type: "Killing",
    DisplayMessage: "Sent interrupt. Waiting 5s before force killing",
    Details: new Map([["kill_timeout", "5s"]]),
    KillTimeout: 5_000_000_000n,
  });
  const ended = terminate(killing, time + 201_000n, { exitCode: 0 });
  const killed = withEvent(ended, time + 215_000n, {
    Type: "Killed",
    DisplayMessage: "Task successfully killed",
  });
  return { ...killed, FinishedAt: goTime(time + 216_000n), State: "dead" };
}

/** An allocation's client status as Nomad derives it from its tasks. */
export function clientStatusOf(tasks: Iterable<TaskState>): ClientStatus {
  const states = [...tasks];
  if (states.some((task) => task.State === "dead" && task.Failed)) return "failed";
  if (states.some((task) => task.State === "running")) return "running";
  if (states.some((task) => task.State === "pending")) return "pending";
  return "complete";
}

const DESCRIPTIONS: Readonly<Record<ClientStatus, string>> = {
  pending: "No tasks have started",
  running: "Tasks are running",
  complete: "All tasks have completed",
  failed: "Failed tasks",
  lost: "",
  unknown: "",
};

export function clientDescription(status: ClientStatus): string {
  return DESCRIPTIONS[status];
}

/** Applies a change to every task of an allocation. */
export function mapTasks(
  stub: AllocationStub,
  change: (state: TaskState, task: string) => TaskState,
): ReadonlyMap<string, TaskState> {
  return new Map([...(stub.TaskStates ?? [])].map(([task, state]) => [task, change(state, task)]));
}

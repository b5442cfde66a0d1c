/** Lists as Nomad writes them, made from a seed: the same seed gives the same bytes. */

type Random = () => number;

/** mulberry32: [0, 1). */
function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export interface AllocationList {
  /** The stubs' texts in list order, as they were first written. */
  readonly stubs: string[];
  readonly body: Buffer;
}

export interface AllocationShape {
  readonly allocations: number;
  readonly tasks: number;
  readonly events: readonly TaskEventKind[];
  readonly seed: number;
}

/** Single-task allocations with the three events of a start: about 2.2 KB each. */
export const USUAL_ALLOCATIONS: AllocationShape = {
  allocations: 50_000,
  tasks: 1,
  events: ["received", "setup", "started"],
  seed: 1,
};

/** Three-task allocations: as Go writes maps in random order, hardly one keeps its bytes from poll to poll. */
export const REORDERED_ALLOCATIONS: AllocationShape = {
  allocations: 50_000,
  tasks: 3,
  events: ["terminated"],
  seed: 2,
};

/** `mapSeed` decides the order of the members of every map, and nothing else. */
export function allocationList(shape: AllocationShape, mapSeed = 0): AllocationList {
  const random = seededRandom(shape.seed);
  const mapOrder = seededRandom(mapSeed);
  const stubs = Array.from({ length: shape.allocations }, (_, index) =>
    JSON.stringify(allocationStub(shape, index, random, mapOrder)),
  );
  return { stubs, body: listBody(stubs) };
}

function listBody(stubs: readonly string[]): Buffer {
  const size = stubs.reduce((total, stub) => total + Buffer.byteLength(stub) + 1, 1);
  const body = Buffer.allocUnsafeSlow(Math.max(2, size));
  let at = body.write("[");
  for (const stub of stubs) {
    if (at > 1) at += body.write(",", at);
    at += body.write(stub, at);
  }
  body.write("]", at);
  return body;
}

/** The list a poll later: `count` allocations, evenly spread, went from running to complete. */
export function changeAllocations(list: AllocationList, count: number): AllocationList {
  const stubs = [...list.stubs];
  for (let change = 0; change < count; change++) {
    const position = Math.floor(((change + 0.5) * stubs.length) / count);
    stubs[position] = (stubs[position] as string)
      .replace('"ClientStatus":"running"', '"ClientStatus":"complete"')
      .replace(
        /"ModifyIndex":(\d+),"ModifyTime"/,
        (_, index) => `"ModifyIndex":${Number(index) + 7},"ModifyTime"`,
      );
  }
  return { stubs, body: listBody(stubs) };
}

interface Tree {
  readonly [name: string]: unknown;
}

function shuffled(map: Tree, random: Random): Tree {
  const entries = Object.entries(map);
  for (let last = entries.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [entries[last], entries[other]] = [
      entries[other] as [string, unknown],
      entries[last] as [string, unknown],
    ];
  }
  return Object.fromEntries(entries);
}

function uuid(random: Random): string {
  const digits = Array.from({ length: 4 }, () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0"),
  ).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function nanoseconds(random: Random): RawJSON {
  return JSON.rawJSON(
    `1795432${String(Math.floor(random() * 1e6)).padStart(6, "0")}${String(Math.floor(random() * 1e6)).padStart(6, "0")}`,
  );
}

/** Members in the order and with the contents of a running allocation of Nomad 1.1.2. */
function allocationStub(shape: AllocationShape, index: number, random: Random, mapOrder: Random): Tree {
  const job = `web-${index % 500}`;
  const position = Math.floor(index / 500);
  return {
    ClientDescription: "Tasks are running",
    ClientStatus: "running",
    CreateIndex: 20_000 + index,
    CreateTime: nanoseconds(random),
    DeploymentStatus: {
      Canary: false,
      Healthy: true,
      ModifyIndex: 20_007 + index,
      Timestamp: "2026-11-23T11:13:19.19247386Z",
    },
    DesiredDescription: "",
    DesiredStatus: "run",
    DesiredTransition: { ForceReschedule: null, Migrate: null, Reschedule: null },
    EvalID: uuid(random),
    FollowupEvalID: "",
    ID: uuid(random),
    JobID: job,
    JobType: "service",
    JobVersion: 0,
    ModifyIndex: 20_011 + index,
    ModifyTime: nanoseconds(random),
    Name: `${job}.frontend[${position}]`,
    Namespace: "default",
    NodeID: uuid(random),
    NodeName: `client-${index % 200}`,
    PreemptedAllocations: null,
    PreemptedByAllocation: "",
    RescheduleTracker: null,
    TaskGroup: "frontend",
    TaskStates: shuffled(
      Object.fromEntries(
        TASKS.slice(0, shape.tasks).map((task) => [task, taskState(shape.events, random, mapOrder)]),
      ),
      mapOrder,
    ),
  };
}

const TASKS = ["server", "shipper", "envoy"];

function taskState(events: readonly TaskEventKind[], random: Random, mapOrder: Random): Tree {
  return {
    Events: events.map((kind) => taskEvent(kind, random, mapOrder)),
    Failed: false,
    FinishedAt: null,
    LastRestart: null,
    Restarts: 0,
    StartedAt: "2026-11-23T11:13:09.19095923Z",
    State: "running",
    TaskHandle: null,
  };
}

const TASK_EVENTS = {
  received: { type: "Received", display: "Task received by client", message: "", details: {} },
  setup: {
    type: "Task Setup",
    display: "Building Task Directory",
    message: "Building Task Directory",
    details: { message: "Building Task Directory" },
  },
  started: { type: "Started", display: "Task started by client", message: "", details: {} },
  terminated: {
    type: "Terminated",
    display: 'Exit Code: 0, Exit Message: "exited"',
    message: "",
    details: { exit_code: "0", exit_message: "exited", oom_killed: "false", signal: "0" },
  },
} as const;
type TaskEventKind = keyof typeof TASK_EVENTS;

function taskEvent(kind: TaskEventKind, random: Random, mapOrder: Random): Tree {
  const { type, display, message, details } = TASK_EVENTS[kind];
  return {
    Details: shuffled(details, mapOrder),
    DiskLimit: 0,
    DisplayMessage: display,
    DownloadError: "",
    DriverError: "",
    DriverMessage: "",
    ExitCode: 0,
    FailedSibling: "",
    FailsTask: false,
    GenericSource: "",
    KillError: "",
    KillReason: "",
    KillTimeout: 0,
    Message: message,
    RestartReason: "",
    SetupError: "",
    Signal: 0,
    StartDelay: 0,
    TaskSignal: "",
    TaskSignalReason: "",
    Time: nanoseconds(random),
    Type: type,
    ValidationError: "",
    VaultError: "",
  };
}

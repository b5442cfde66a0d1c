import type { Metrics } from "../telemetry/metrics.ts";
import type { Broadcast } from "./broadcast.ts";
import type { AssignmentStatus } from "../schemas/assignment-schema.ts";

/**
 * Gives each assignment, work that some process must be doing and no two may do at once, to one process, and to another
 * when that one ends or dies. It is no lock: for a moment two may hold an assignment, and only the fence of the scope
 * (see `FeedLog.claim`) makes the one that came first harmless.
 */
export interface Coordination {
  /** Does the assignments that fall to this process, until `signal` aborts and the last of them has ended. */
  run(holder: AssignmentHolder, signal: AbortSignal): Promise<void>;
  /** Says which assignments there are besides the standing ones. Only for who performs "plan". */
  announce(plan: AssignmentPlan): Promise<void>;
  /** Every assignment there is, whoever does it. */
  statuses(): Promise<AssignmentStatus[]>;
  /** Assignments that this process should be doing and is not, and why. */
  owed(): readonly { readonly assignment: string; readonly why: string }[];
  /** To the other processes, and from them; null where there is no other. */
  readonly broadcast: Broadcast | null;
  /** Lets go of what it holds open. */
  [Symbol.asyncDispose](): Promise<void>;
}

export type CoordinationMetrics = Pick<Metrics, "assignmentsHeld" | "workersAlive" | "takeovers">;

/**
 * The assignments there always are: plan the others, trim the log, and follow Nomad's event stream for hints. The others
 * are named like the scope they watch, "deliver/<destination>", or "alerts".
 */
export const STANDING_ASSIGNMENTS = ["plan", "trim", "hints"] as const;

/** `finish`: only what is left of it; it ends by itself. */
export type AssignmentPlan = ReadonlyMap<string, "perform" | "finish">;

/** `drained`: nothing is left of it; `fenced`: somebody else does it; `stopped`: the signal aborted. */
export type Ending = "drained" | "fenced" | "stopped";

/** What this process can do. */
export interface AssignmentHolder {
  /** Whether it knows how; what it does not, it leaves to the other processes. */
  canPerform(assignment: string): boolean;
  /**
   * Does an assignment until `signal` aborts or it ends by itself; one that rejects is tried again, here or elsewhere.
   */
  perform(assignment: string, signal: AbortSignal): Promise<Ending>;
  /** Told of the plan whenever it may have changed. */
  follow(plan: AssignmentPlan): void;
  /** How an assignment goes that this process performs. */
  describe(assignment: string): AssignmentReport;
}

/** What the one who performs an assignment knows of it. */
export type AssignmentReport = Omit<AssignmentStatus, "assignment" | "state" | "worker" | "since">;

/** Of an assignment that has nothing to tell. */
export const NOTHING_TO_REPORT: AssignmentReport = {
  condition: null,
  reading: null,
  reason: null,
  index: null,
  objects: null,
  lastOkAt: null,
  lagMs: null,
};

/** How long an assignment rests that ended though it is planned, or that failed, before it is begun again. */
export const REST_MS = 5_000;

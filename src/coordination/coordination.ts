import type { DutyStatus } from "../schemas/duty-schema.ts";

/**
 * Gives each duty, work that some process must be doing and no two may do at once, to one process, and to another
 * when that one ends or dies. It is no lock: for a moment two may hold a duty, and only the fence of the scope (see
 * `FeedLog.claim`) makes the one that came first harmless.
 */
export interface Coordination {
  /** Does the duties that fall to this process, until `signal` aborts and the last of them has ended. */
  run(holder: DutyHolder, signal: AbortSignal): Promise<void>;
  /** Says which duties there are besides the standing ones. Only for who performs "plan". */
  announce(plan: DutyPlan): Promise<void>;
  /** Every duty there is, whoever does it. */
  statuses(): Promise<DutyStatus[]>;
  /** Duties that this process should be doing and is not, and why. */
  owed(): readonly { readonly duty: string; readonly why: string }[];
  /** Lets go of what it holds open. */
  close(): Promise<void>;
}

/** Duties there always are: to plan the others, and to trim the log. The others are named like the scope they watch. */
export const STANDING_DUTIES = ["plan", "trim"] as const;

/** `finish`: only what is left of it; it ends by itself. */
export type DutyPlan = ReadonlyMap<string, "perform" | "finish">;

/** `done`: nothing is left of it; `taken`: somebody else does it; `stopped`: the signal aborted. */
export type Ending = "done" | "taken" | "stopped";

/** What this process can do. */
export interface DutyHolder {
  /** Does a duty until `signal` aborts or it ends by itself; when it rejects it is tried again, here or elsewhere. */
  perform(duty: string, signal: AbortSignal): Promise<Ending>;
  /** Told of the plan whenever it may have changed. */
  follow(plan: DutyPlan): void;
  /** How a duty goes that this process performs. */
  describe(duty: string): DutyReport;
}

/** What the one who performs a duty knows of it. */
export type DutyReport = Omit<DutyStatus, "duty" | "state" | "worker" | "since">;

/** Of a duty that has nothing to tell. */
export const NOTHING_TO_REPORT: DutyReport = {
  condition: null,
  reason: null,
  index: null,
  objects: null,
  lastOkAt: null,
  lagMs: null,
};

/** How long a duty rests that ended though it is planned, or that failed, before it is begun again. */
export const REST_MS = 5_000;

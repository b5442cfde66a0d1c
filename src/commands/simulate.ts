import type { Io } from "./io.ts";

/** What the `simulate` command may be told; every field has a default but `listen`. */
export interface SimulateOptions {
  /** `host:port`, port 0 for any free one. */
  readonly listen: string;
  readonly seed: number;
  /** Allocations at the start, 1 to 100,000. */
  readonly allocations: number;
  readonly changesPerSecond: number;
  /** `reset:0.01,rate-limit:0.01`: fault kinds and their probability per request. */
  readonly faults?: string;
  /** Enforces ACLs; the management token is printed. */
  readonly acl?: boolean;
}

/** Runs a simulated Nomad API until `io.signal` aborts. */
export async function simulate(_options: SimulateOptions, _io: Pick<Io, "stdout" | "signal">): Promise<void> {
  await Promise.reject(new Error("The simulator is not there yet"));
}

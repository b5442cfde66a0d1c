import { FairScheduler } from "./fair-scheduler.ts";
import { Ring, type RingOptions } from "./ring.ts";

/** What all share who follow the log in this process: its newest events, read once, and turns. */
export interface Fanout {
  readonly ring: Ring;
  readonly scheduler: FairScheduler;
}

export function createFanout(options: Omit<RingOptions, "scheduler">): Fanout {
  const scheduler = new FairScheduler(options.clock);
  return { scheduler, ring: new Ring({ ...options, scheduler }) };
}

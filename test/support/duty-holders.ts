import { setTimeout as delay } from "node:timers/promises";
import {
  NOTHING_TO_REPORT,
  type DutyHolder,
  type DutyPlan,
  type Ending,
} from "../../src/coordination/coordination.ts";

/** Does duties by doing nothing, and remembers which. */
export class TestHolder implements DutyHolder {
  readonly performing = new Set<string>();
  /** Every duty that was begun, in order. */
  readonly begun: string[] = [];
  plan: DutyPlan | undefined;
  /** How a duty ends by itself, instead of waiting for its signal. */
  readonly endings = new Map<string, Ending | Error>();
  /** How long ending takes when the signal aborts. */
  slownessMs = 0;

  async perform(duty: string, signal: AbortSignal): Promise<Ending> {
    this.begun.push(duty);
    const ending = this.endings.get(duty);
    if (ending instanceof Error) throw ending;
    if (ending !== undefined) return ending;
    this.performing.add(duty);
    try {
      if (!signal.aborted) {
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      }
      await delay(this.slownessMs);
      return "stopped";
    } finally {
      this.performing.delete(duty);
    }
  }

  follow(plan: DutyPlan): void {
    this.plan = plan;
  }

  describe(duty: string) {
    return { ...NOTHING_TO_REPORT, ...(duty.includes("/") ? { condition: "ok" as const, objects: 3 } : {}) };
  }

  get duties(): string[] {
    return [...this.performing].toSorted();
  }
}

/** A plan of so many scopes to watch. */
export function planOf(count: number): DutyPlan {
  return new Map(Array.from({ length: count }, (_, n) => [`jobs/n${n + 1}`, "perform"] as const));
}

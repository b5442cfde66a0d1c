import { setTimeout as delay } from "node:timers/promises";
import {
  NOTHING_TO_REPORT,
  type AssignmentHolder,
  type AssignmentPlan,
  type Ending,
} from "../../src/coordination/coordination.ts";

/** Does assignments by doing nothing, and remembers which. */
export class TestHolder implements AssignmentHolder {
  readonly performing = new Set<string>();
  /** Every assignment that was begun, in order. */
  readonly begun: string[] = [];
  plan: AssignmentPlan | undefined;
  /** How an assignment ends by itself, instead of waiting for its signal. */
  readonly endings = new Map<string, Ending | Error>();
  /** How long ending takes when the signal aborts. */
  slownessMs = 0;
  readonly unable = new Set<string>();

  canPerform(assignment: string): boolean {
    return !this.unable.has(assignment);
  }

  async perform(assignment: string, signal: AbortSignal): Promise<Ending> {
    this.begun.push(assignment);
    const ending = this.endings.get(assignment);
    if (ending instanceof Error) throw ending;
    if (ending !== undefined) return ending;
    this.performing.add(assignment);
    try {
      if (!signal.aborted) {
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      }
      await delay(this.slownessMs);
      return "stopped";
    } finally {
      this.performing.delete(assignment);
    }
  }

  follow(plan: AssignmentPlan): void {
    this.plan = plan;
  }

  describe(assignment: string) {
    return {
      ...NOTHING_TO_REPORT,
      ...(assignment.includes("/") ? { condition: "ok" as const, objects: 3 } : {}),
    };
  }

  get assignments(): string[] {
    return [...this.performing].toSorted();
  }
}

/** A plan of so many scopes to watch. */
export function planOf(count: number): AssignmentPlan {
  return new Map(Array.from({ length: count }, (_, n) => [`jobs/n${n + 1}`, "perform"] as const));
}

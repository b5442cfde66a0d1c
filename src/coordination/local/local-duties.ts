import { setTimeout as delay } from "node:timers/promises";
import type { DutyStatus } from "../../schemas/duty-schema.ts";
import type { Logger } from "../../telemetry/logger.ts";
import {
  NOTHING_TO_REPORT,
  REST_MS,
  STANDING_DUTIES,
  type Coordination,
  type DutyHolder,
  type DutyPlan,
  type Ending,
} from "../coordination.ts";

interface Held {
  readonly abort: AbortController;
  readonly since: Date;
  done: Promise<void>;
}

/** One process does every duty. What another process takes from it, it leaves to that one. */
export class LocalDuties implements Coordination {
  readonly #worker: string;
  readonly #logger: Logger;
  readonly #restMs: number;
  readonly #held = new Map<string, Held>();
  readonly #taken = new Set<string>();
  #plan: DutyPlan = new Map();
  #running: { readonly holder: DutyHolder; readonly signal: AbortSignal } | undefined;

  /** `worker` names this process to people. */
  constructor(worker: string, logger: Logger, restMs = REST_MS) {
    this.#worker = worker;
    this.#logger = logger;
    this.#restMs = restMs;
  }

  async run(holder: DutyHolder, signal: AbortSignal): Promise<void> {
    this.#running = { holder, signal };
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    this.#reconcile();
    await aborted;
    for (const { abort } of this.#held.values()) abort.abort(signal.reason);
    await Promise.all([...this.#held.values()].map(({ done }) => done));
  }

  async announce(plan: DutyPlan): Promise<void> {
    this.#plan = plan;
    this.#running?.holder.follow(plan);
    this.#reconcile();
  }

  async statuses(): Promise<DutyStatus[]> {
    const holder = this.#running?.holder;
    return this.#duties().map((duty) => {
      const held = this.#held.get(duty);
      if (held !== undefined) {
        const place = { state: "held" as const, worker: this.#worker, since: held.since.toISOString() };
        return { duty, ...place, ...(holder?.describe(duty) ?? NOTHING_TO_REPORT) };
      }
      const state = this.#taken.has(duty) ? ("taken" as const) : ("waiting" as const);
      return { duty, state, worker: null, since: null, ...NOTHING_TO_REPORT, reason: this.#whyNot(duty) };
    });
  }

  owed(): { duty: string; why: string }[] {
    return this.#duties()
      .filter((duty) => !this.#held.has(duty))
      .map((duty) => ({ duty, why: this.#whyNot(duty) }));
  }

  async close(): Promise<void> {
    // Nothing is open.
  }

  #duties(): string[] {
    return [...STANDING_DUTIES, ...this.#plan.keys()];
  }

  #whyNot(duty: string): string {
    return this.#taken.has(duty) ? "another process took it over" : "it is about to be started again";
  }

  #reconcile(): void {
    const duties = new Set(this.#duties());
    for (const [duty, held] of this.#held) {
      if (!duties.has(duty)) held.abort.abort(new Error("not planned any more"));
    }
    for (const duty of duties) if (!this.#held.has(duty) && !this.#taken.has(duty)) this.#start(duty);
  }

  #start(duty: string): void {
    if (this.#running === undefined || this.#running.signal.aborted) return;
    const { holder } = this.#running;
    const held: Held = { abort: new AbortController(), since: new Date(), done: Promise.resolve() };
    this.#held.set(duty, held);
    held.done = this.#hold(duty, held, holder);
  }

  async #hold(duty: string, { abort }: Held, holder: DutyHolder): Promise<void> {
    let ending: Ending | "failed" = "failed";
    try {
      ending = await holder.perform(duty, abort.signal);
    } catch (error) {
      if (!abort.signal.aborted) {
        this.#logger.error({ err: error, duty }, "a duty failed; starting it again");
      }
    }
    this.#held.delete(duty);
    if (ending === "taken") this.#giveUp(duty);
    if (ending === "done" && this.#plan.get(duty) !== "perform") return;
    // At once it would be a race without end; what was stopped is begun again only where the plan has it back.
    if (ending !== "stopped") await this.#rest();
    this.#reconcile();
  }

  async #rest(): Promise<void> {
    const signal = this.#running?.signal;
    if (signal !== undefined) await delay(this.#restMs, undefined, { signal }).catch(() => undefined);
  }

  /** Claiming it back would be claimed back in turn, without end: whoever started the other one wanted it so. */
  #giveUp(duty: string): void {
    this.#taken.add(duty);
    this.#logger.error(
      {
        scope: duty,
        hint: "Stop one of the two, or start both with --workers redis; what this one watches no more, it takes up at its next start",
      },
      "another process writes this feed and took the scope over; it is not watched here any more",
    );
  }
}

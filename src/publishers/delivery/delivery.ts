import { LogUnavailable } from "../../feed/errors.ts";
import type { FeedLog } from "../../feed/log.ts";
import { formatCursor } from "../../schemas/cursor.ts";
import type { DeliveryDetails } from "../../schemas/delivery-schema.ts";
import { Circuit } from "./circuit.ts";
import { Dispatch, type DispatchDeps } from "./dispatch.ts";
import { Nap } from "./nap.ts";
import type { DeliveryOptions } from "./options.ts";
import { PositionKeeper } from "./position-keeper.ts";
import { documentOf, type Position } from "./position.ts";
import type { Outlet } from "./sender.ts";
import { startOf } from "./start.ts";
import { formerPosition, moveDeadLetters } from "./take-over.ts";

const KEEP_EVERY_MS = 1000;
/** What is under way when the process stops has so long to end; when people pause, as long as any send has. */
const STOP_GRACE_MS = 500;

export interface DeliveryDeps extends DispatchDeps {
  readonly log: Pick<FeedLog, "read" | "head" | "times" | "cursorAt" | "documents" | "deadLetters">;
}

/** What a delivery serves: the same circuit's attempts are kept where a destination is opened anew. */
export type DeliveryParts = Omit<Outlet, "circuit">;

export type DeliveryEnding = "fenced" | "stopped";

/** What is known of a delivery by the process that performs it. */
export type Standing = Pick<
  DeliveryDetails,
  | "target"
  | "state"
  | "reason"
  | "since"
  | "cursor"
  | "recordedAt"
  | "lagEvents"
  | "lagMs"
  | "attempts"
  | "outcomes"
  | "latency"
>;

/** Serves one destination for as long as the position is this process's. */
export class Delivery {
  readonly #outlet: Outlet;
  readonly #deps: DeliveryDeps;
  readonly #nap: Nap;
  readonly #keeper: PositionKeeper;
  #position: Position;
  #dispatch: Dispatch | undefined;
  #isFenced = false;

  private constructor(keeper: PositionKeeper, position: Position, parts: DeliveryParts, deps: DeliveryDeps) {
    const { options, destination, attempts } = parts;
    const { target } = destination;
    this.#keeper = keeper;
    this.#position = position;
    this.#deps = deps;
    this.#nap = new Nap(deps.clock);
    const circuit = new Circuit(position.circuit, { ...deps, target, retry: options.retry });
    this.#outlet = { options, destination, attempts, circuit };
  }

  /** Takes the position, also from another process. */
  static async begin(owner: string, parts: DeliveryParts, deps: DeliveryDeps): Promise<Delivery> {
    const { log, clock } = deps;
    const keeper = await PositionKeeper.claim(parts.options.name, owner, { documents: log.documents, clock });
    const position = keeper.position() ?? (await firstPosition(keeper, owner, parts.options, log));
    return new Delivery(keeper, position, parts, deps);
  }

  /** Delivers until `signal` aborts, or another process takes the position. */
  async run(signal: AbortSignal): Promise<DeliveryEnding> {
    try {
      while (!signal.aborted && !this.#isFenced) {
        if (this.#position.paused === null) await this.#deliver(signal);
        else await this.#rest(signal);
      }
      return this.#isFenced ? "fenced" : "stopped";
    } finally {
      this.#deps.meter.forget();
    }
  }

  /** People changed the position: look at once. */
  steered(): void {
    this.#nap.wake();
  }

  standing(): Standing {
    const { paused, cursor, recordedAt } = this.#position;
    const { circuit, destination, attempts } = this.#outlet;
    const { lagEvents, lagMs } = this.#lag();
    return {
      target: destination.target,
      state: paused === null ? stateOf(circuit) : "paused",
      reason: paused === null ? circuit.reason : paused.reason,
      since: paused?.at ?? circuit.open?.at ?? null,
      cursor: formatCursor(cursor),
      recordedAt,
      lagEvents: lagEvents ?? null,
      lagMs,
      attempts: attempts.list(),
      ...this.#deps.meter.figures(),
    };
  }

  async #rest(signal: AbortSignal): Promise<void> {
    this.#show();
    await this.#nap.sleep(KEEP_EVERY_MS, signal);
    if (!signal.aborted) await this.#keep();
  }

  /** Until `signal` aborts, or people say to do something else. */
  async #deliver(signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const onAbort = (): void => stop.abort();
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    const dispatch = new Dispatch(this.#position, this.#outlet, this.#deps);
    const { replays } = this.#position;
    this.#dispatch = dispatch;
    try {
      const delivering = dispatch.run(stop.signal, () => this.#graceMs(signal));
      await Promise.all([delivering.finally(onAbort), this.#watch(dispatch, replays, stop)]);
      await this.#follow(dispatch, replays);
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#dispatch = undefined;
    }
  }

  /** Keeps the position while it moves, and stops where people or another process want it. */
  async #watch(dispatch: Dispatch, replays: number, stop: AbortController): Promise<void> {
    try {
      while (this.#position.paused === null && this.#position.replays === replays && !this.#isFenced) {
        await this.#nap.sleep(KEEP_EVERY_MS, stop.signal);
        if (stop.signal.aborted) return;
        await this.#follow(dispatch, replays);
      }
    } finally {
      stop.abort();
    }
  }

  /** Takes over how far it has come, unless people have set the position since. */
  async #follow(dispatch: Dispatch, replays: number): Promise<void> {
    if (this.#isFenced || this.#position.replays !== replays) return;
    const { cursor, recordedAt } = dispatch.place;
    this.#position = { ...this.#position, cursor, recordedAt, circuit: this.#outlet.circuit.open };
    this.#show();
    await this.#keep();
  }

  #graceMs(signal: AbortSignal): number {
    if (this.#isFenced) return 0;
    return signal.aborted ? STOP_GRACE_MS : this.#outlet.options.timeoutMs;
  }

  /** What is away now can be asked the next time. */
  async #keep(): Promise<void> {
    try {
      const kept = await this.#keeper.keep(this.#position);
      if (kept.kind === "fenced") this.#isFenced = true;
      if (kept.kind === "steered") this.#take(kept.to);
    } catch (error) {
      if (!(error instanceof LogUnavailable)) throw error;
    }
  }

  #take(to: Position): void {
    const { replays, cursor, recordedAt } = this.#position;
    this.#position = to.replays === replays ? { ...to, cursor, recordedAt } : to;
    if (to.circuit !== null) return;
    this.#outlet.circuit.hurry();
    this.#dispatch?.hurry();
  }

  #show(): void {
    this.#deps.meter.show({
      ...this.#lag(),
      isOpen: this.#outlet.circuit.open !== null,
      isPaused: this.#position.paused !== null,
      pendingBytes: this.#dispatch?.pendingBytes ?? 0,
    });
  }

  #lag(): { lagEvents: number | undefined; lagMs: number } {
    const { ring, clock } = this.#deps;
    const { cursor, recordedAt } = this.#position;
    const lagEvents = ring.behindBy(cursor);
    // Where nothing is read ahead, the oldest one to come is newer than the last.
    const recordedMs = recordedAt === null ? clock.now() : Date.parse(recordedAt);
    const oldestMs = this.#dispatch?.oldestMs ?? (lagEvents === 0 ? clock.now() : recordedMs);
    return { lagEvents, lagMs: Math.max(0, Math.round(clock.now() - oldestMs)) };
  }
}

async function firstPosition(
  keeper: PositionKeeper,
  owner: string,
  options: DeliveryOptions,
  log: DeliveryDeps["log"],
): Promise<Position> {
  const { name, formerName } = options;
  const former = formerName === undefined ? undefined : await formerPosition(formerName, owner, log);
  if (formerName === undefined || former === undefined) return keepFirst(keeper, await startOf(options, log));
  await moveDeadLetters(formerName, name, log);
  const first = await keepFirst(keeper, former);
  await log.documents.remove(documentOf(formerName));
  return first;
}

/** People may have paused it meanwhile, or said from where to send. */
async function keepFirst(keeper: PositionKeeper, first: Position): Promise<Position> {
  const kept = await keeper.keep(first);
  if (kept.kind !== "steered") return first;
  const { paused, circuit, replays } = kept.to;
  if (replays > 0) return kept.to;
  return keepFirst(keeper, { ...first, paused, circuit });
}

function stateOf({ open, reason }: Circuit): "circuit-open" | "retrying" | "delivering" {
  if (open !== null) return "circuit-open";
  return reason === null ? "delivering" : "retrying";
}

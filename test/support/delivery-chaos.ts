import { createRandom, type Random } from "../../packages/nomad-simulator/src/random.ts";
import { LogUnavailable } from "../../src/feed/errors.ts";
import type { FeedLog } from "../../src/feed/log.ts";
import type { Destination, Outgoing, SendResult } from "../../src/publishers/delivery/destination.ts";
import type { DeliveryOptions } from "../../src/publishers/delivery/options.ts";
import type { Clock } from "../../src/shared/clock.ts";
import { DeliveryRig, type RunningDelivery } from "./delivery-rig.ts";
import { verdictOf, type DeliveryVerdict } from "./delivery-verdict.ts";

/** One thing that happens; numbers are choices among what there is. */
export type ChaosStep =
  | { readonly do: "commit"; readonly subjects: readonly number[] }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "kill" | "replace" | "restart" | "away" | "back" };

export interface DeliveryChaosOptions {
  readonly seed: number;
  readonly steps: readonly ChaosStep[];
  readonly delivery: Partial<DeliveryOptions>;
}

/** Of a hundred events, how many no destination takes. */
const POISONED_PERCENT = 6;
/** The longest that anything waits for anything here. */
const CALM_MS = 600_000;

/**
 * Deliveries in one process on a test's clock: the destination fails in every way there is, workers are killed and
 * replaced, and the log goes away. In the end all is calm; answers what became of the events.
 */
export async function runDeliveryChaos(options: DeliveryChaosOptions): Promise<DeliveryVerdict> {
  const random = createRandom(options.seed);
  await using rig = await DeliveryRig.open({ random: () => random.next() });
  const chaos = new Chaos(rig, random, options.delivery);
  await chaos.begin();
  for (const step of options.steps) await chaos.take(step);
  await chaos.calm();
  return chaos.verdict();
}

interface Worker {
  readonly log: Switch;
  readonly running: RunningDelivery;
}

class Chaos {
  readonly #rig: DeliveryRig;
  readonly #random: Random;
  readonly #options: Partial<DeliveryOptions>;
  readonly #sink: FailingSink;
  readonly #committed: string[] = [];
  readonly #counts = new Map<number, number>();
  readonly #positions: number[] = [];
  #isAway = false;
  #worker: Worker | undefined;

  constructor(rig: DeliveryRig, random: Random, options: Partial<DeliveryOptions>) {
    this.#rig = rig;
    this.#random = random;
    this.#options = options;
    this.#sink = new FailingSink(random, rig.clock);
  }

  async begin(): Promise<void> {
    const log = new Switch(this.#rig.feed.log, () => this.#isAway);
    const running = await this.#rig.begin(new Killable(this.#sink, log), this.#options, log.log);
    this.#worker = { log, running };
  }

  async take(step: ChaosStep): Promise<void> {
    if (step.do === "commit") await this.#commit(step.subjects);
    else if (step.do === "wait") await this.#rig.clock.advance(step.ms);
    else if (step.do === "away" || step.do === "back") this.#isAway = step.do === "away";
    else if (!this.#isAway) await this.#replace(step.do);
    await this.#note();
  }

  async calm(): Promise<void> {
    this.#isAway = false;
    this.#sink.isCalm = true;
    await this.#rig.clock.advance(2000);
    await this.#replace("kill");
    const { sequence } = await this.#rig.feed.log.head();
    for (let ms = 0; ms < CALM_MS; ms += 5000) {
      await this.#rig.clock.advance(5000);
      await this.#note();
      if (this.#positions.at(-1) === sequence) return;
    }
  }

  async verdict(): Promise<DeliveryVerdict> {
    const parked = await this.#rig.deadLetters();
    const poisoned = this.#committed.filter((id) => this.#sink.isPoisoned(id));
    const { taken } = this.#sink;
    return verdictOf({ committed: this.#committed, taken, parked, poisoned, positions: this.#positions });
  }

  /** The former one is stopped, killed, or left to find out by itself that it was replaced. */
  async #replace(how: "kill" | "replace" | "restart"): Promise<void> {
    const former = this.#worker;
    if (how === "restart") await former?.running.stop();
    if (how === "kill") {
      former?.log.cut();
      former?.running.kill();
    }
    await this.begin();
  }

  async #commit(subjects: readonly number[]): Promise<void> {
    const ids = subjects.map((subject) => {
      const count = (this.#counts.get(subject) ?? 0) + 1;
      this.#counts.set(subject, count);
      return `s${subject}:${count}`;
    });
    this.#sink.poison(ids.filter(() => this.#random.chance(POISONED_PERCENT / 100)));
    await this.#rig.commit(...ids);
    this.#committed.push(...ids);
  }

  async #note(): Promise<void> {
    const position = await this.#rig.position();
    if (position !== undefined) this.#positions.push(position.cursor.sequence);
  }
}

/** A log as one worker has it, which may be away for all, or for ever for a worker that was killed. */
class Switch {
  readonly log: FeedLog;
  isCut = false;

  constructor(log: FeedLog, isAway: () => boolean) {
    const ask = async (target: object, method: (...given: unknown[]) => unknown, given: unknown[]) => {
      if (this.isCut) return new Promise(() => undefined);
      if (isAway()) throw new LogUnavailable("The log is away");
      const answer: unknown = await Reflect.apply(method, target, given);
      return this.isCut ? new Promise(() => undefined) : answer;
    };
    const wrap = <T extends object>(target: T): T =>
      new Proxy(target, {
        get: (_, name) => {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value === "function")
            return (...given: unknown[]) => ask(target, value as (...all: unknown[]) => unknown, given);
          return name === "documents" || name === "deadLetters" ? wrap(value as object) : value;
        },
      });
    this.log = wrap(log);
  }

  cut(): void {
    this.isCut = true;
  }
}

/** What a worker sends arrives only while it lives; and once it does not, it hears no answer. */
class Killable implements Destination {
  readonly target = "test:";
  readonly #sink: FailingSink;
  readonly #life: Switch;

  constructor(sink: FailingSink, life: Switch) {
    this.#sink = sink;
    this.#life = life;
  }

  async send(batch: readonly Outgoing[], signal: AbortSignal): Promise<SendResult> {
    const result = await this.#sink.answer(batch, signal, () => !this.#life.isCut);
    return this.#life.isCut ? new Promise(() => undefined) : result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is open.
  }
}

/** Fails in every way that a destination can, and remembers what it took. */
class FailingSink {
  readonly taken: string[] = [];
  isCalm = false;
  readonly #poisoned = new Set<string>();
  readonly #random: Random;
  readonly #clock: Clock;

  constructor(random: Random, clock: Clock) {
    this.#random = random;
    this.#clock = clock;
  }

  poison(ids: readonly string[]): void {
    for (const id of ids) this.#poisoned.add(id);
  }

  isPoisoned(id: string): boolean {
    return this.#poisoned.has(id);
  }

  async answer(batch: readonly Outgoing[], signal: AbortSignal, isAlive: () => boolean): Promise<SendResult> {
    const random = this.#random;
    await this.#clock.sleep(random.between(0, 300), signal);
    if (!isAlive() || signal.aborted) throw new Error("reset");
    const fate = this.isCalm ? 100 : random.between(0, 60);
    if (fate < 3) return this.#hang(signal);
    if (fate < 6) throw new Error("connection reset");
    if (fate < 9) return { outcome: "retry", reason: "500" };
    if (fate < 11) return { outcome: "retry", reason: "429", afterMs: random.between(0, 20_000) };
    if (fate < 13) return { outcome: "refused", why: "gone", reason: "410" };
    if (fate < 15) return this.#someOf(batch);
    const result = this.#deliver(batch);
    // It has it, and nobody hears that.
    if (fate < 18) throw new Error("connection reset after the body");
    return fate < 20 ? this.#hang(signal) : result;
  }

  #deliver(batch: readonly Outgoing[]): SendResult {
    const which = batch.flatMap(({ id }, position) => (this.#poisoned.has(id) ? [position] : []));
    if (which.length > 0 && this.#random.chance(0.5))
      return { outcome: "refused", why: "poison", reason: "400" };
    this.taken.push(...batch.filter((_, position) => !which.includes(position)).map(({ id }) => id));
    return which.length === 0
      ? { outcome: "ok" }
      : { outcome: "refused", why: "poison", reason: "400", which };
  }

  /** Takes the first of the batch, up to one that is poisoned. */
  #someOf(batch: readonly Outgoing[]): SendResult {
    const most = this.#random.between(0, batch.length - 1);
    const poisoned = batch.findIndex(({ id }) => this.#poisoned.has(id));
    const count = poisoned === -1 ? most : Math.min(most, poisoned);
    this.taken.push(...batch.slice(0, count).map(({ id }) => id));
    const which = batch.map((_, position) => position).slice(count);
    return { outcome: "retry", reason: "partly", which };
  }

  #hang(signal: AbortSignal): Promise<SendResult> {
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }
}

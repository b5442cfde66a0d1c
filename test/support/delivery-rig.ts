import { DatabaseSync } from "node:sqlite";
import { Attempts } from "../../src/publishers/delivery/attempts.ts";
import { Delivery, type DeliveryEnding } from "../../src/publishers/delivery/delivery.ts";
import type { Destination } from "../../src/publishers/delivery/destination.ts";
import { Meter } from "../../src/publishers/delivery/meter.ts";
import type { DeliveryOptions } from "../../src/publishers/delivery/options.ts";
import {
  consumerOf,
  documentOf,
  parsePosition,
  type Position,
} from "../../src/publishers/delivery/position.ts";
import { createFanout } from "../../src/publishers/fanout/fanout.ts";
import type { FeedLog } from "../../src/feed/log.ts";
import { draft, SOURCE } from "./drafts.ts";
import { TestFeed } from "./http-feed.ts";
import { recordingLogger } from "./recording-logger.ts";
import { TestClock } from "./test-clock.ts";

const NAME = "ops";

/** What a test does not say. */
export const DELIVERY_OPTIONS = {
  name: NAME,
  conditions: {},
  payload: "full",
  from: "beginning",
  ordering: "per-subject",
  inFlight: 4,
  batch: { maxEvents: 1, maxBytes: 65_536, maxAgeMs: 0 },
  timeoutMs: 10_000,
  retry: { firstMs: 1000, mostMs: 60_000 },
  onPoison: "park",
} satisfies DeliveryOptions;

/** A real log on a clock of the test's, and deliveries from it that can be stopped and killed. */
export class DeliveryRig implements AsyncDisposable {
  readonly clock: TestClock;
  readonly feed: TestFeed;
  readonly lines: string[];
  readonly #logger;
  readonly #random: () => number;
  readonly #running: RunningDelivery[] = [];

  private constructor(feed: TestFeed, clock: TestClock, random: () => number) {
    this.feed = feed;
    this.clock = clock;
    this.#random = random;
    const { logger, lines } = recordingLogger();
    this.#logger = logger;
    this.lines = lines;
  }

  static async open({ random = () => 0.5 }: { random?: () => number } = {}): Promise<DeliveryRig> {
    const clock = new TestClock();
    return new DeliveryRig(await TestFeed.open({ clock }), clock, random);
  }

  /** Commits one event for each, of the object before the colon: `a:1`, `a:2`, `b:1`. */
  async commit(...ids: string[]): Promise<void> {
    const recorded = `"recordedtime":"${new Date(this.clock.now()).toISOString()}",`;
    const drafts = ids.map((id) => draft({ id, key: id.split(":")[0] ?? id, data: `{"id":"${id}"}` }));
    await this.feed.commit(...drafts.map((event) => ({ ...event, head: event.head + recorded })));
  }

  /** Begins a delivery in a worker of its own, which takes the position from whoever had it. */
  async begin(
    destination: Destination,
    options: Partial<DeliveryOptions> = {},
    log: FeedLog = this.feed.log,
  ): Promise<RunningDelivery> {
    const { metrics } = this.feed;
    const own = { ...DELIVERY_OPTIONS, ...options };
    const fanout = createFanout({ log, clock: this.clock, logger: this.#logger, metrics });
    const meter = new Meter(metrics, own.name);
    const parts = { options: own, destination, attempts: new Attempts() };
    const owner = `worker-${this.#running.length}`;
    const base = { log, clock: this.clock, logger: this.#logger, random: this.#random };
    const begun = Delivery.begin(owner, parts, { ...base, ...fanout, meter, source: SOURCE, name: own.name });
    const running = new RunningDelivery(await this.clock.finish(begun), this.clock);
    this.#running.push(running);
    return running;
  }

  async position(name = NAME): Promise<Position | undefined> {
    const text = (await this.feed.log.documents.get(documentOf(name)))?.text;
    return typeof text === "string" ? parsePosition(name, text) : undefined;
  }

  /** Changes the kept position as people do who steer. */
  async steer(change: (position: Position) => Position, name = NAME): Promise<void> {
    const document = await this.feed.log.documents.get(documentOf(name));
    if (typeof document?.text !== "string") throw new Error("there is no position yet");
    const { cursor, ...position } = change(parsePosition(name, document.text));
    const text = JSON.stringify({ cursor: `${cursor.epoch}-${cursor.sequence}`, ...position });
    await this.feed.log.documents.change(document.name, document.fence, text);
  }

  /** Every cursor given out before is of another epoch from now on. */
  changeEpoch(epoch: string): void {
    const database = new DatabaseSync(this.feed.location.replace("sqlite:", ""));
    database.prepare("UPDATE meta SET epoch = ? WHERE one = 1").run(epoch);
    database.close();
  }

  /** The log is as it was when `sequence` was its newest event, as after a restore from a copy. */
  goBackTo(sequence: number): void {
    const database = new DatabaseSync(this.feed.location.replace("sqlite:", ""));
    database.prepare("DELETE FROM events WHERE sequence > ?").run(sequence);
    database.prepare("UPDATE meta SET sequence = ? WHERE one = 1").run(sequence);
    database.close();
  }

  async deadLetters(name = NAME): Promise<string[]> {
    const letters = await this.feed.log.deadLetters.list(consumerOf(name), { limit: 1000 });
    return letters.map(({ id }) => id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#running) await running.stop();
    await this.feed[Symbol.asyncDispose]();
  }
}

export class RunningDelivery {
  readonly delivery: Delivery;
  readonly ending: Promise<DeliveryEnding>;
  readonly #stop = new AbortController();
  readonly #clock: TestClock;
  #isKilled = false;

  constructor(delivery: Delivery, clock: TestClock) {
    this.delivery = delivery;
    this.#clock = clock;
    this.ending = delivery.run(this.#stop.signal);
    this.ending.catch(() => undefined);
  }

  /** It is not waited for any more: its log and its destination have gone silent for it. */
  kill(): void {
    this.#isKilled = true;
  }

  async stop(): Promise<DeliveryEnding | "killed"> {
    if (this.#isKilled) return "killed";
    this.#stop.abort();
    return this.#clock.finish(this.ending);
  }
}

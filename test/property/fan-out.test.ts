import assert from "node:assert/strict";
import { setImmediate as others } from "node:timers/promises";
import * as fc from "fast-check";
import { it } from "vitest";
import type { EventFacts } from "../../src/schemas/draft.ts";
import { dearFilter } from "../support/dear-filter.ts";
import { FanOut, type Fanned } from "../support/fan-out.ts";
import { draft } from "../support/drafts.ts";
import { until } from "../support/until.ts";

const RESOURCES = ["jobs", "nodes", "allocations"] as const;
/** One batch of events, or one event of the size that events have at most. */
const MOST_BYTES_AHEAD = 64 * 1024;

const isEven = ({ id }: EventFacts) => Number(id) % 2 === 0;
const FILTERS: readonly {
  readonly name: string;
  readonly filter: (facts: EventFacts) => boolean;
  /** What it costs to ask of an event. */
  readonly cost?: { readonly steps: number; readonly ms: number };
}[] = [
  { name: "all", filter: () => true },
  { name: "jobs", filter: ({ resource }) => resource === "jobs" },
  { name: "not jobs", filter: ({ resource }) => resource !== "jobs" },
  { name: "every third", filter: ({ id }) => Number(id) % 3 === 0 },
  { name: "dear", filter: isEven, cost: { steps: 3000, ms: 0.3 } },
  { name: "very dear", filter: () => true, cost: { steps: 20_000, ms: 1 } },
];

/** One thing that happens. Numbers are choices among what there is, modulo. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("commit" as const),
      resources: fc.array(fc.constantFrom(...RESOURCES), { minLength: 1, maxLength: 12 }),
      padding: fc.constantFrom(0, 0, 300, 3000, 60_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("subscribe" as const),
      filter: fc.nat(FILTERS.length - 1),
      back: fc.nat(40),
      limit: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined, freq: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("pause" as const), whom: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("resume" as const), whom: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), whom: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("trim" as const), maxEvents: fc.nat(10) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("epoch" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("elsewhere" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("handOver" as const),
      how: fc.constantFrom("whole", "lost", "twice", "late"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("away" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("back" as const) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("others" as const), turns: fc.nat(6) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Modelled extends Fanned {
  readonly filter: (facts: EventFacts) => boolean;
  readonly limit: number;
}

/** What the log held, whatever became of it, and who listens. */
class Model {
  readonly fanOut: FanOut;
  /** In order of sequence; the position is the sequence less one. */
  readonly events: EventFacts[] = [];
  readonly subscribers: Modelled[] = [];
  #epochs = 0;

  constructor(fanOut: FanOut) {
    this.fanOut = fanOut;
  }

  async take(done: Step): Promise<void> {
    const { fanOut } = this;
    if (done.do === "commit") await this.commit(done.resources, done.padding);
    if (done.do === "subscribe") await this.#subscribe(done);
    if (done.do === "pause") this.#choose(done.whom)?.sink.pause();
    if (done.do === "resume") this.#choose(done.whom)?.sink.resume();
    if (done.do === "leave") this.#choose(done.whom)?.leave();
    if (done.do === "trim") await fanOut.log.trim({ maxEvents: done.maxEvents });
    if (done.do === "elsewhere") this.#commitElsewhere();
    if (done.do === "handOver") fanOut.handOver = done.how;
    if (done.do === "epoch") fanOut.changeEpoch(`epoch${(this.#epochs += 1)}`);
    if (done.do === "away") fanOut.setAway(true);
    if (done.do === "back") fanOut.setAway(false);
    if (done.do === "others") for (let turn = 0; turn < done.turns; turn += 1) await others();
  }

  async commit(resources: readonly (typeof RESOURCES)[number][], padding: number): Promise<void> {
    const drafts = resources.map((resource, position) => {
      const id = String(this.events.length + position);
      return draft({ id, resource, data: `{"padding":"${"é".repeat(padding / 2)}"}` });
    });
    await this.fanOut.commit(drafts);
    this.events.push(...drafts);
  }

  #commitElsewhere(): void {
    const event = draft({ id: String(this.events.length), resource: "jobs" });
    this.fanOut.commitElsewhere(event);
    this.events.push(event);
  }

  /** Ids of what the subscriber is to get, whenever it gets it. */
  expectedOf({ start, filter, limit }: Modelled): string[] {
    const wanted = this.events.slice(start.sequence).filter(filter);
    return wanted.slice(0, limit).map(({ id }) => id);
  }

  async #subscribe({ filter, back, limit }: Extract<Step, { do: "subscribe" }>): Promise<void> {
    const chosen: (typeof FILTERS)[number] = FILTERS[filter] ?? { name: "none", filter: () => false };
    const { name, filter: passes, cost } = chosen;
    const asked = { name, limit, filter: cost === undefined ? passes : dearFilter(passes, cost) };
    const fanned = await this.fanOut.subscribe(this.events.length - back, asked);
    const modelled = Object.assign(fanned, { filter: passes, limit: limit ?? Infinity });
    this.subscribers.push(modelled);
  }

  #choose(whom: number): Modelled | undefined {
    return this.subscribers[whom % Math.max(1, this.subscribers.length)];
  }
}

const typeOf = (json: string) => (JSON.parse(json) as { type: string }).type;
const idOf = (json: string) => (JSON.parse(json) as { id: string }).id;

function receivedBy({ sink }: Fanned): string[] {
  return sink.taken.filter((json) => /"sequence":/.test(json)).map(idOf);
}

/** Ended, or has all there is. */
function isSettled(model: Model, subscriber: Modelled): boolean {
  return (
    subscriber.ended !== undefined || receivedBy(subscriber).length >= model.expectedOf(subscriber).length
  );
}

async function assertTold(model: Model, subscriber: Modelled): Promise<void> {
  const { sink, ended } = subscriber;
  const expected = model.expectedOf(subscriber);
  const received = receivedBy(subscriber);
  assert.equal(typeOf(sink.taken[0] ?? "{}"), "nomad.feed.hello");
  assert.deepEqual(received, expected.slice(0, received.length));
  if (ended === undefined || ended.reason === "limit") assert.deepEqual(received, expected);
  if (ended === undefined || ended.reason === "client-gone") return;
  assert.equal(received.length, ended.events);
  const last = sink.taken.at(-1) ?? "{}";
  if (ended.reason === "limit") return assert.equal(typeOf(last), "nomad.feed.bookmark");
  assert.equal(typeOf(last), "nomad.feed.error");
  assert.match(last, new RegExp(`"code":"${ended.reason}"`));
  const { epoch, floor } = await model.fanOut.log.head();
  if (ended.reason === "CURSOR_EXPIRED") assert.ok(ended.cursor.sequence < floor);
  else if (ended.reason === "EPOCH_CHANGED") assert.notEqual(ended.cursor.epoch, epoch);
  else assert.equal(ended.reason, "LOG_UNAVAILABLE");
}

it("gives every subscriber exactly what its filter allows of the log after its cursor, or a named error", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      await using fanOut = await FanOut.open();
      const model = new Model(fanOut);
      for (const done of steps) await model.take(done);
      fanOut.setAway(false);
      for (const { sink } of model.subscribers) sink.resume();
      // What another process does is noticed with the next event.
      if (steps.some((done) => done.do === "epoch" || done.do === "elsewhere"))
        await model.commit(["nodes"], 0);
      for (const subscriber of model.subscribers) {
        await until("everything is there", () => isSettled(model, subscriber), 20_000);
        await assertTold(model, subscriber);
        assert.ok(subscriber.sink.mostBytesAhead <= MOST_BYTES_AHEAD);
      }
    }),
    { numRuns: 80 },
  );
});

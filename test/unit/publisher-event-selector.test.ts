import { describe, expect, it } from "vitest";
import { Batch } from "../../src/publishers/fanout/batch.ts";
import { Lag } from "../../src/publishers/fanout/lag.ts";
import { Pace } from "../../src/publishers/fanout/pace.ts";
import { SharedSelectors, EventSelector } from "../../src/publishers/fanout/event-selector.ts";
import type { EventFilter } from "../../src/publishers/selection/event-filter.ts";
import { formOf } from "../../src/publishers/selection/payload.ts";
import { dearFilter } from "../support/dear-filter.ts";
import { entryOf } from "../support/drafts.ts";
import { TestClock } from "../support/test-clock.ts";

const FORM = formOf(({ json }) => Buffer.from(`${json}\n`), "full");
const FIRST = 101;

function batchOf(sequences: readonly number[]): Batch {
  const after = { epoch: "e", sequence: FIRST - 1 };
  return new Batch(
    after,
    sequences.map((sequence) => entryOf({ sequence, id: `${sequence}`, json: `${sequence}` })),
  );
}

const even: EventFilter = ({ id }) => Number(id) % 2 === 0;
const whole = batchOf([101, 102, 103, 104, 105, 106, 107]);
/** Some were deleted by somebody. */
const holey = batchOf([101, 104, 105, 108]);

function turn(clock = new TestClock()): Pace {
  const pace = new Pace(clock);
  pace.beginTurn();
  return pace;
}

const textOf = (chunks: readonly Buffer[]) =>
  Buffer.concat(chunks).toString().split("\n").slice(0, -1).map(Number);

/** What a subscriber with this cursor is to get. */
function wantedOf(batch: Batch, after: number, limit: number, filter: EventFilter): number[] {
  return batch.entries
    .filter((entry) => entry.sequence > after && filter(entry))
    .map(({ sequence }) => sequence)
    .slice(0, limit);
}

describe.each([
  ["of one subscriber", (filter: EventFilter) => new EventSelector(filter, FORM)],
  [
    "of several",
    (filter: EventFilter) => {
      const selectors = new SharedSelectors();
      selectors.share("same", FORM, () => filter);
      return selectors.share("same", FORM, () => filter).selector;
    },
  ],
])("a selector %s", (_name, make) => {
  it.each([
    ["everything", () => true],
    ["every other event", even],
    ["nothing", () => false],
  ] as const)("gives exactly what comes after the cursor, wherever it lies: %s", (_what, filter) => {
    for (const batch of [whole, holey]) {
      const selector = make(filter);
      for (let after = FIRST - 2; after <= batch.last; after += 1) {
        for (const limit of [1, 2, 3, Number.POSITIVE_INFINITY]) {
          const { chunks, events, reached } = selector.select(batch, after, limit, turn());
          const wanted = wantedOf(batch, after, limit, filter);
          expect({ after, limit, got: textOf(chunks) }).toEqual({ after, limit, got: wanted });
          expect(events).toBe(wanted.length);
          expect(reached).toBe(wanted.length < limit ? batch.last : wanted.at(-1));
        }
      }
    }
  });

  it("goes on where the turn ended, and asks of no event that was not reached", () => {
    const clock = new TestClock();
    const asked: string[] = [];
    const filter = dearFilter(
      (event) => {
        asked.push(event.id);
        return even(event);
      },
      { steps: 4000, ms: 2, pass: (ms) => clock.pass(ms) },
    );
    const selector = make(filter);
    const pace = new Pace(clock);
    const got: number[] = [];
    let turns = 0;
    for (let after = FIRST - 1; after < whole.last; turns += 1) {
      pace.beginTurn();
      const { chunks, reached } = selector.select(whole, after, Number.POSITIVE_INFINITY, pace);
      got.push(...textOf(chunks));
      after = reached;
    }
    expect(got).toEqual([102, 104, 106]);
    expect(turns).toBe(7);
    expect(asked).toEqual(whole.entries.map(({ id }) => id));
  });
});

it("what was asked for one of several subscribers is not asked again, even half way through a batch", () => {
  let asked = 0;
  const selectors = new SharedSelectors();
  const share = () =>
    selectors.share("same", FORM, () => (event) => {
      asked += 1;
      return even(event);
    }).selector;
  share();
  const selector = share();
  selector.select(whole, FIRST + 2, 1, turn());
  selector.select(whole, FIRST - 1, Number.POSITIVE_INFINITY, turn());
  selector.select(whole, FIRST + 1, Number.POSITIVE_INFINITY, turn());
  expect(asked).toBe(whole.entries.length);
});

it("where one subscriber's turn ended early, the next one learns by itself that the event is dear", () => {
  const selectors = new SharedSelectors();
  const dear = dearFilter(() => true, { steps: 50_000 });
  const paces = [turn(), turn()];
  const [selector] = paces.map(() => selectors.share("same", FORM, () => dear).selector);
  const reached = paces.map(
    (pace) => selector?.select(whole, FIRST - 1, Number.POSITIVE_INFINITY, pace).reached,
  );
  expect(reached).toEqual([FIRST - 1, FIRST - 1]);
  expect(paces.map((pace) => [pace.isTurnOver, pace.goesLast])).toEqual([
    [true, true],
    [true, true],
  ]);
});

describe("the pace of a subscriber", () => {
  const event = entryOf({});
  const ask = (pace: Pace, steps: number) =>
    pace.ask(
      dearFilter(() => true, { steps }),
      event,
    );

  it("leaves an event that is dear for a turn that goes last, and then asks of it whatever it costs", () => {
    const pace = turn();
    expect([ask(pace, 100), pace.goesLast]).toEqual([true, false]);
    expect([ask(pace, 50_000), pace.goesLast, pace.isTurnOver]).toEqual([undefined, true, true]);
    expect(ask(pace, 100)).toBeUndefined();
    pace.beginTurn();
    expect([ask(pace, 50_000), pace.goesLast]).toEqual([true, true]);
  });

  it("ends a turn that lasts, whether its filters take steps or parse", () => {
    for (const cost of [
      { steps: 3000, ms: 2 },
      { steps: 1, parsed: 20_000, ms: 2 },
    ]) {
      const clock = new TestClock();
      const pace = turn(clock);
      const filter = dearFilter(() => true, { ...cost, pass: (ms) => clock.pass(ms) });
      expect([pace.ask(filter, event), pace.ask(filter, event)]).toEqual([true, undefined]);
      expect([pace.isTurnOver, pace.goesLast]).toEqual([true, false]);
    }
  });

  it("goes last until its filters were cheap for a while", () => {
    const pace = turn();
    ask(pace, 50_000);
    for (let events = 0; events < 99; events += 1) {
      pace.beginTurn();
      ask(pace, 10);
    }
    expect(pace.goesLast).toBe(true);
    pace.beginTurn();
    ask(pace, 50_000);
    for (let events = 0; events < 99; events += 1) {
      pace.beginTurn();
      ask(pace, 10);
    }
    expect(pace.goesLast).toBe(true);
    pace.beginTurn();
    ask(pace, 10);
    expect(pace.goesLast).toBe(false);
  });
});

it("who falls ever further behind is told, who catches up or was there in between is not", () => {
  const clock = new TestClock();
  /** How far behind a subscriber is at each half of the time it has. */
  const note = (...behindBy: (number | undefined)[]) => {
    const lag = new Lag(10_000, clock);
    for (const events of behindBy) {
      lag.note(events);
      clock.pass(5000);
    }
  };
  const told = expect.objectContaining({ code: "CANNOT_KEEP_UP" });
  expect(() => note(10, 11, 11)).toThrow(told);
  expect(() => note(20, 30, 10, 12, 11)).toThrow(told);
  note(20, 30, 19, 25, 19, 30, undefined, 50, 60, 40);
  note(10, 11);
});

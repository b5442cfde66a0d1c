import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Addition, type TrailEnd } from "../../src/publishers/audit/addition.ts";
import { gapNotice, testEvent } from "../../src/publishers/delivery/outgoing.ts";
import type { Outgoing } from "../../src/publishers/delivery/destination.ts";
import { LEAST_BEFORE } from "../../src/schemas/envelope-schema.ts";
import { outgoing } from "../support/outgoing.ts";

const FEED = "nomad://prod/global";
const NAMES = { feed: FEED, origin: "example.com/nomad", name: "audit" };
const CONTEXT = { source: FEED, name: "audit", time: "2026-11-23T15:14:58.362Z" };
const END: TrailEnd = { epoch: "reg100", nextSeq: 8 };

/** What `events` add to a trail that ends there: entries as they are read, and where the trail ends then. */
function added(end: TrailEnd | undefined, ...events: readonly Outgoing[]) {
  const addition = new Addition(end, NAMES);
  for (const event of events) addition.add(event);
  const entries = addition.entries.map((entry) => JSON.parse(entry) as Record<string, unknown>);
  return { objects: addition.objects, end: addition.end, short: entries.map(shortOf), entries };
}

function shortOf({ cursor, type, ...mark }: Record<string, unknown>): unknown {
  return cursor ?? { ...mark, type: String(type).replace("changefeed.audit.", "") };
}

const gap = (reason: "expired" | "missing" | "epoch-changed", from: string, to: string) =>
  gapNotice({ reason, wanted: cursorOf(from) }, cursorOf(to), CONTEXT);

function cursorOf(text: string) {
  const [epoch = "", sequence = ""] = text.split("-");
  return { epoch, sequence: Number(sequence) };
}

describe("what a batch adds to a trail", () => {
  test("is, of an empty one, its genesis, and then each event's own bytes", () => {
    const events = [outgoing(5), outgoing(6)];
    const { short, end, objects } = added(undefined, ...events);
    const genesis = {
      type: "genesis",
      feed: FEED,
      epoch: "reg100",
      firstSeq: 5,
      origin: NAMES.origin,
      format: 1,
    };
    expect(short).toEqual([genesis, "reg100-5", "reg100-6"]);
    expect(end).toEqual({ epoch: "reg100", nextSeq: 7 });
    expect(objects).toEqual([]);
    const addition = new Addition(END, NAMES);
    addition.add(outgoing(8));
    expect(addition.entries.map(String)).toEqual([outgoing(8).json]);
  });

  test("is nothing where the trail has it already", () => {
    expect(added(END, outgoing(6), outgoing(7))).toMatchObject({ short: [], end: END });
    expect(added(END, outgoing(6), outgoing(7), outgoing(8)).short).toEqual(["reg100-8"]);
  });

  test("is told by an event's own cursor, whatever stands in its data", () => {
    const own = outgoing(10, { data: { cursor: "reg100-8" } });
    expect(own.json.indexOf('"cursor"')).toBeGreaterThan(LEAST_BEFORE.cursor);
    expect(() => added(END, own)).toThrow(/ends with reg100-7.*reg100-10/);
    expect(added({ ...END, nextSeq: 10 }, own).short).toEqual(["reg100-10"]);
  });

  test("is nothing of a test, and of what else is in no log", () => {
    const events = [testEvent(CONTEXT), outgoing(9, { sequence: null, cursor: null })];
    expect(added(END, ...events)).toMatchObject({ short: [], end: END });
    expect(added(undefined, ...events)).toMatchObject({ short: [], end: undefined });
  });

  test("is a refusal where events are not there of which nobody said that they are gone", () => {
    expect(() => added(END, outgoing(9))).toThrow(
      expect.objectContaining({
        code: "AUDIT_TRAIL_BEHIND",
        message: expect.stringMatching(/ends with reg100-7.*reg100-9/),
        hint: expect.stringContaining("deliveries replay audit --cursor reg100-7"),
      }) as Error,
    );
  });
});

describe("a gap", () => {
  test("that retention or another program made becomes a mark that says so, once", () => {
    const notice = gap("expired", "reg100-7", "reg100-20");
    const first = added(END, notice, outgoing(21));
    const reason = expect.stringMatching(/^expired: /) as string;
    expect(first.short).toEqual([{ type: "gap", fromSeq: 8, nextSeq: 21, reason }, "reg100-21"]);
    expect(added({ epoch: "reg100", nextSeq: 21 }, notice, outgoing(21)).short).toEqual(["reg100-21"]);
    expect(added(first.end, notice, outgoing(21), outgoing(22)).short).toEqual(["reg100-22"]);
    expect(added(END, gap("missing", "reg100-7", "reg100-9")).short).toMatchObject([{ nextSeq: 10 }]);
  });

  test("before what the trail has already is none", () => {
    expect(added(END, gap("expired", "reg100-2", "reg100-5"), outgoing(6)).short).toEqual([]);
    expect(added(END, gap("expired", "reg100-2", "reg100-7"), outgoing(8)).short).toEqual(["reg100-8"]);
  });

  test("before the first entry is in its genesis", () => {
    expect(added(undefined, gap("expired", "reg100-0", "reg100-5"))).toMatchObject({
      short: [],
      end: undefined,
    });
    expect(added(undefined, gap("expired", "reg100-0", "reg100-5"), outgoing(6)).short).toMatchObject([
      { type: "genesis", firstSeq: 6 },
      "reg100-6",
    ]);
  });
});

describe("a new epoch", () => {
  const inEpoch = (epoch: string, sequence: number) => outgoing(sequence, { cursor: `${epoch}-${sequence}` });

  test("becomes a mark, once, and sequences are those of the new one", () => {
    const notice = gap("epoch-changed", "reg100-7", "new111-2");
    const first = added(END, notice, inEpoch("new111", 3));
    expect(first.short).toEqual([{ type: "epoch", epoch: "new111", nextSeq: 3 }, "new111-3"]);
    expect(added(first.end, notice, inEpoch("new111", 3), inEpoch("new111", 4)).short).toEqual(["new111-4"]);
  });

  test("begins behind what the log holds of before: that is of the old one, and entered where it is not there", () => {
    const notice = gap("epoch-changed", "reg100-7", "new111-6");
    const read = [outgoing(7), outgoing(8)].map((event) => ({
      ...event,
      cursor: `new111-${event.sequence}`,
    }));
    const first = added(END, notice, ...read, inEpoch("new111", 9));
    expect(first.short).toEqual(["reg100-8", { type: "epoch", epoch: "new111", nextSeq: 9 }, "new111-9"]);
    expect(added(first.end, notice, inEpoch("new111", 9)).short).toEqual([]);
  });

  test("whose log has lost some of the old one is a gap in that, once", () => {
    const notice = gap("epoch-changed", "reg100-7", "new111-10");
    const first = added(END, notice);
    const reason = expect.stringMatching(/^epoch-changed: /) as string;
    expect(first.short).toEqual([{ type: "gap", fromSeq: 8, nextSeq: 11, reason }]);
    expect(added(first.end, notice, inEpoch("new111", 11)).short).toEqual([
      { type: "epoch", epoch: "new111", nextSeq: 11 },
      "new111-11",
    ]);
  });

  test("that nobody told of becomes one too", () => {
    expect(added(END, inEpoch("new111", 3)).short).toEqual([
      { type: "epoch", epoch: "new111", nextSeq: 3 },
      "new111-3",
    ]);
  });

  test("of the same name is a log that was set back: its events are others, and are entered, once", () => {
    const notice = gap("epoch-changed", "reg100-7", "reg100-3");
    const first = added(END, notice, outgoing(4), outgoing(5));
    expect(first.short).toEqual([{ type: "epoch", epoch: "reg100", nextSeq: 4 }, "reg100-4", "reg100-5"]);
    expect(added(first.end, notice, outgoing(4), outgoing(5), outgoing(6)).short).toEqual(["reg100-6"]);
  });
});

describe("an event that is too large for an entry", () => {
  const data = { number: 1.0, text: "ü".repeat(40_000), list: [{}] };

  test("is its envelope with the hash, the size and the place of its data", () => {
    const event = outgoing(8, { data });
    const { entries, objects } = added(END, event);
    const bytes = Buffer.from(JSON.stringify(data));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const { data: _, ...envelope } = JSON.parse(event.json) as Record<string, unknown>;
    expect(entries).toEqual([
      { ...envelope, datasha256: sha256, datasize: bytes.length, dataref: `objects/${sha256}` },
    ]);
    expect(objects).toEqual([{ path: `objects/${sha256}`, bytes }]);
  });

  test("keeps its data's bytes as they are, and leads to them in place of to the feed's", () => {
    const text = `{ "zero": 1.00, "big": 12345678901234567890, "text": "${"x".repeat(66_000)}" }`;
    const { json } = outgoing(8);
    const tail = json.indexOf(',"data":');
    const large = `${json.slice(0, tail)},"dataref":"data/reg100-8","data":${text}}`;
    const { entries, objects } = added(END, outgoing(8, { json: large }));
    expect(objects.map(({ bytes }) => String(bytes))).toEqual([text]);
    expect(entries).toMatchObject([{ dataref: objects[0]?.path }]);
  });

  test("at the limit is entered whole; one byte more is not", () => {
    const room = 65_535 - Buffer.byteLength(outgoing(8, { data: { text: "" } }).json);
    const whole = added(END, outgoing(8, { data: { text: "x".repeat(room) } }));
    expect(whole.entries).toMatchObject([{ data: { text: "x".repeat(room) } }]);
    expect(added(END, outgoing(8, { data: { text: "x".repeat(room + 1) } })).objects).toHaveLength(1);
  });

  test("without its data is refused, and named", () => {
    const id = "x".repeat(70_000);
    expect(() => added(END, outgoing(8, { id }))).toThrow(
      expect.objectContaining({
        code: "AUDIT_ENTRY_TOO_LARGE",
        message: expect.stringContaining("65,535"),
      }) as Error,
    );
  });
});

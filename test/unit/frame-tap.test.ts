import { beforeEach, expect, it, onTestFinished } from "vitest";
import { NomadError } from "../../src/nomad/errors.ts";
import type { Frame } from "../../src/feed/frames/frame-log.ts";
import { FrameTap } from "../../src/pollers/tap/frame-tap.ts";
import { aborted } from "../../src/shared/aborted.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { until } from "../support/until.ts";
import { TestClock } from "../support/test-clock.ts";

const FIVE_MINUTES = 300_000;

let clock: TestClock;
let tap: FrameTap;
let isRefused: (topics: readonly string[]) => boolean;
/** Nomad 1.11.2 and later refuse by silence. */
let refusedInMs: number;
let isAway: boolean;
/** How many frames come again. */
let repeated: number;
/** What comes again of a frame that was recorded. */
let asNow: (line: Buffer) => Buffer;
/** Of what a retry may wait; in half of all cases it is less than half. */
let jitter: number;
let recorded: (Frame & { readonly gapAfter: number | undefined })[];
let breakOff: (error: NomadError) => void;
let say: (line: Buffer) => void;

beforeEach(async () => {
  clock = new TestClock();
  isRefused = () => false;
  refusedInMs = 0;
  isAway = false;
  repeated = 1;
  asNow = (line) => line;
  jitter = 0.5;
  recorded = [];
  const events = async ({ topics, signal }: { topics: readonly string[]; signal: AbortSignal }) => {
    if (isAway) throw lost();
    if (isRefused(topics)) {
      await clock.sleep(refusedInMs, signal);
      throw new NomadError("NOMAD_FORBIDDEN", "403 Permission denied", { retryable: false, hint: "" });
    }
    const broken = Promise.withResolvers<undefined>();
    broken.promise.catch(() => undefined);
    const ended = aborted(signal).then(() => undefined);
    const next = () => {
      const line = Promise.withResolvers<Buffer | undefined>();
      say = line.resolve;
      return Promise.race([line.promise, broken.promise, ended]);
    };
    breakOff = broken.reject;
    return {
      address: "http://nomad",
      lines: async function* () {
        // What is asked for comes again.
        yield* recorded.slice(-repeated).map(({ line }) => asNow(line));
        for (let line = await next(); line !== undefined; line = await next()) yield line;
      },
      async [Symbol.asyncDispose]() {},
    };
  };
  tap = new FrameTap({
    nomad: { events },
    log: {
      append: (frames, gapAfter) => recorded.push(...frames.map((each) => ({ ...each, gapAfter }))),
      newestFrames: () => recorded,
      narrowed: undefined,
    },
    clock,
    random: () => jitter,
    logger: silentLogger(),
    metrics: createMetrics(),
  });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  void tap.run(stop.signal);
  await clock.advance(60_000);
});

const lost = () => new NomadError("NOMAD_UNREACHABLE", "closed", { retryable: true, hint: "" });
const frame = (index: number, topics = ["Job"], namespace = "default") =>
  Buffer.from(
    JSON.stringify({ Index: index, Events: topics.map((Topic) => ({ Topic, Namespace: namespace })) }),
  );

it("records again soon where a server refused because it stopped", async () => {
  expect(tap.isRecording).toBe(true);
  isRefused = () => true;
  breakOff(lost());
  await clock.advance(500);
  isRefused = () => false;
  await clock.advance(5_000);
  expect(tap.isRecording).toBe(true);
});

it("records all topics again within minutes after some were refused, and says that frames of them are missing", async () => {
  say(frame(7));
  await until("it is recorded", () => recorded.length === 1);
  isRefused = (topics) => topics.includes("*") || topics.includes("Node");
  breakOff(lost());
  await clock.advance(30_000);
  expect([tap.covers(["Job"]), tap.covers(["Node"])]).toEqual([true, false]);
  say(frame(8));
  await until("it is recorded", () => recorded.length === 2);
  isRefused = () => false;
  await clock.advance(FIVE_MINUTES);
  expect(tap.covers(["Node"])).toBe(true);
  say(frame(9));
  await until("it is recorded", () => recorded.length === 3);
  expect(recorded.map(({ gapAfter }) => gapAfter)).toEqual([undefined, undefined, 7]);
});

it("records again soon where a server that starts refused for some seconds", async () => {
  isRefused = () => true;
  breakOff(lost());
  await clock.advance(5_000);
  isRefused = () => false;
  await clock.advance(10_000);
  expect(tap.isRecording).toBe(true);
});

it.each([
  ["all topics", () => true],
  ["some topics", (topics: readonly string[]) => topics.includes("*") || topics.includes("Node")],
])("asks soon again where %s are refused, and then every five minutes", async (_, refuses) => {
  isRefused = refuses;
  breakOff(lost());
  await clock.advance(20_000);
  expect(tap.covers(["Node"])).toBe(false);
  isRefused = () => false;
  await clock.advance(15_000);
  expect(tap.covers(["Node"])).toBe(true);
  isRefused = refuses;
  breakOff(lost());
  await clock.advance(60_000);
  isRefused = () => false;
  await clock.advance(FIVE_MINUTES - 60_000);
  expect(tap.covers(["Node"])).toBe(false);
  await clock.advance(60_000);
  expect(tap.covers(["Node"])).toBe(true);
});

it("records again soon where a server refused because it stopped, was away, and refused for some seconds when it started", async () => {
  jitter = 0.05;
  isRefused = () => true;
  breakOff(lost());
  await clock.advance(500);
  isAway = true;
  await clock.advance(20_000);
  isAway = false;
  await clock.advance(5_000);
  isRefused = () => false;
  await clock.advance(10_000);
  expect(tap.isRecording).toBe(true);
});

it("finds out what it may hear where some topics are refused that it heard", async () => {
  isRefused = (topics) => topics.includes("*") || topics.includes("Node");
  breakOff(lost());
  await clock.advance(20_000);
  isRefused = (topics) => topics.includes("*") || topics.includes("Node") || topics.includes("Job");
  breakOff(lost());
  await clock.advance(60_000);
  expect(tap.isRecording).toBe(true);
  expect([tap.covers(["Evaluation"]), tap.covers(["Job"])]).toEqual([true, false]);
});

it("does not record a frame once more that has more events now that all topics may be heard", async () => {
  isRefused = (topics) => topics.includes("*") || topics.includes("Node");
  breakOff(lost());
  await clock.advance(20_000);
  say(frame(7));
  await until("it is recorded", () => recorded.length === 1);
  isRefused = () => false;
  asNow = () => frame(7, ["Job", "Node"]);
  await clock.advance(FIVE_MINUTES);
  say(frame(9));
  await until("it is recorded", () => recorded.length === 2);
  expect(recorded.map(({ index, gapAfter }) => [index, gapAfter])).toEqual([
    [7, undefined],
    [9, 0],
  ]);
});

it("nor where the stream breaks off and is asked for once more after that", async () => {
  const wider = (index: number) => frame(index, ["Job", "Allocation"], "prod");
  isRefused = (topics) => topics.includes("*") || topics.includes("Allocation");
  breakOff(lost());
  await clock.advance(20_000);
  say(frame(7, ["Job"], "prod"));
  await until("it is recorded", () => recorded.length === 1);
  isRefused = () => false;
  asNow = (line) => (line.includes('"Index":7') ? wider(7) : line);
  await clock.advance(FIVE_MINUTES);
  breakOff(lost());
  await clock.advance(20_000);
  say(wider(9));
  await until("it is recorded", () => recorded.some(({ index }) => index === 9));
  repeated = 2;
  breakOff(lost());
  await clock.advance(20_000);
  say(wider(10));
  await until("it is recorded", () => recorded.some(({ index }) => index === 10));
  expect(recorded.map(({ index, gapAfter }) => [index, gapAfter])).toEqual([
    [7, undefined],
    [9, 0],
    [10, undefined],
  ]);
});

it("says that frames are missing of a topic that it may record later than others", async () => {
  say(frame(7));
  await until("it is recorded", () => recorded.length === 1);
  isRefused = (topics) => topics.includes("*") || topics.includes("Node") || topics.includes("Evaluation");
  breakOff(lost());
  await clock.advance(30_000);
  expect([tap.covers(["Job"]), tap.covers(["Node"])]).toEqual([true, false]);
  say(frame(8));
  await until("it is recorded", () => recorded.length === 2);
  // The token may hear of nodes now, and not yet of evaluations.
  isRefused = (topics) => topics.includes("*") || topics.includes("Evaluation");
  await clock.advance(FIVE_MINUTES);
  expect(tap.covers(["Node"])).toBe(true);
  say(frame(9));
  await until("it is recorded", () => recorded.length === 3);
  expect(recorded.map(({ gapAfter }) => gapAfter)).toEqual([undefined, undefined, 7]);
});

it("says what is missing since a restore, where that came while only some topics were recorded", async () => {
  say(frame(7));
  await until("it is recorded", () => recorded.length === 1);
  isRefused = (topics) => topics.includes("*");
  breakOff(lost());
  await clock.advance(30_000);
  say(frame(3));
  await until("it is recorded", () => recorded.length === 2);
  isRefused = () => false;
  await clock.advance(FIVE_MINUTES);
  say(frame(5));
  await until("it is recorded", () => recorded.length === 3);
  expect(recorded.map(({ gapAfter }) => gapAfter)).toEqual([undefined, undefined, 0]);
});

it("asks for no more than it may hear, where the stream of some topics breaks off", async () => {
  isRefused = (topics) => topics.includes("*") || topics.includes("Node");
  breakOff(lost());
  await clock.advance(30_000);
  expect([tap.covers(["Job"]), tap.covers(["Node"])]).toEqual([true, false]);
  refusedInMs = 10_000;
  breakOff(lost());
  await clock.advance(5_000);
  expect(tap.isRecording).toBe(true);
});

it("records some topics again soon, too, where a server refused because it stopped", async () => {
  isRefused = (topics) => topics.includes("*") || topics.includes("Node");
  breakOff(lost());
  await clock.advance(30_000);
  expect([tap.covers(["Job"]), tap.covers(["Node"])]).toEqual([true, false]);
  const isAllowed = isRefused;
  isRefused = () => true;
  breakOff(lost());
  await clock.advance(500);
  isRefused = isAllowed;
  await clock.advance(5_000);
  expect(tap.isRecording).toBe(true);
});

it("asks soon again each time that all is refused, also where only some topics may be heard", async () => {
  const refusesSome = (topics: readonly string[]) => topics.includes("*") || topics.includes("Node");
  isRefused = refusesSome;
  breakOff(lost());
  await clock.advance(20_000);
  expect([tap.covers(["Job"]), tap.covers(["Node"])]).toEqual([true, false]);
  jitter = 0.05;
  isRefused = () => true;
  breakOff(lost());
  await clock.advance(20_000);
  expect(tap.covers(["Job"])).toBe(false);
  isRefused = refusesSome;
  await clock.advance(15_000);
  expect(tap.isRecording).toBe(true);
});

it("records all topics again also where streams never hold for minutes", async () => {
  isRefused = (topics) => topics.includes("*") || topics.includes("Node");
  breakOff(lost());
  await clock.advance(30_000);
  isRefused = () => false;
  for (let n = 0; n < 6; n++) {
    breakOff(lost());
    await clock.advance(60_000);
  }
  expect(tap.covers(["Node"])).toBe(true);
});

import { expect, it, onTestFinished } from "vitest";
import type { BroadcastEntry, Turn } from "../../src/coordination/redis/hearing.ts";
import { Speaker } from "../../src/coordination/redis/speaker.ts";
import { LogUnavailable } from "../../src/feed/errors.ts";
import { TestClock } from "../support/test-clock.ts";

/** One speaker, and what others hear of it. */
function speaking() {
  const clock = new TestClock();
  const said: BroadcastEntry[] = [];
  const podium = { isAway: false, isTaken: false, asked: 0, gate: Promise.resolve() };
  const answer = async () => {
    await podium.gate;
    if (podium.isAway) throw new LogUnavailable("away");
  };
  const turns: Turn[] = [];
  let asked = 0;
  const status = { now: "status" };
  const speaker = new Speaker(
    {
      take: async (turn, isFirst) => {
        await answer();
        turns.push(turn);
        return isFirst || !podium.isTaken;
      },
      say: async (entry) => {
        await answer();
        if (!podium.isTaken) said.push(entry);
        return { isHeard: !podium.isTaken, asked: podium.asked };
      },
    },
    { status: () => status.now, onAsked: () => (asked += 1) },
    clock,
  );
  const stop = new AbortController();
  const ended = speaker.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await clock.finish(ended);
  });
  const heard = () =>
    said.splice(0).map(({ turn, sequence, messages }) => [turn.number, sequence, ...messages]);
  return { clock, speaker, podium, status, turns, heard, ended, stop, asked: () => asked };
}

/** A speaker whose word "a" is under way until `resolve` is called; what was said before is heard. */
async function whileSomethingIsSaid() {
  const { clock, speaker, podium, heard } = speaking();
  await clock.advance(0);
  heard();
  const { promise, resolve } = Promise.withResolvers<void>();
  podium.gate = promise;
  speaker.say("a");
  await clock.advance(0);
  return { clock, speaker, podium, heard, resolve };
}

it("who speaks says the status first and every two seconds, and messages at once", async () => {
  const { clock, speaker, heard, status } = speaking();
  await clock.advance(0);
  expect(heard()).toEqual([[1, 0, "status"]]);
  speaker.say("a");
  speaker.say("b");
  await clock.advance(0);
  expect(heard()).toEqual([[1, 1, "a", "b"]]);
  status.now = "other";
  await clock.advance(1_999);
  expect(heard()).toEqual([]);
  await clock.advance(1);
  expect(heard()).toEqual([[1, 2, "other"]]);
});

it("what comes up while something is being said is said together afterwards", async () => {
  const { clock, speaker, heard, resolve } = await whileSomethingIsSaid();
  speaker.say("b");
  speaker.say("c");
  await clock.advance(2_500);
  expect(heard()).toEqual([]);
  resolve();
  await clock.advance(0);
  expect(heard()).toEqual([
    [1, 1, "a"],
    [1, 2, "b", "c", "status"],
  ]);
});

it("much is said in parts", async () => {
  const { clock, speaker, heard } = speaking();
  await clock.advance(0);
  heard();
  const large = "x".repeat(2 ** 20);
  for (const message of [large, "a", "b"]) speaker.say(message);
  await clock.advance(0);
  expect(heard()).toEqual([
    [1, 1, large],
    [1, 2, "a", "b"],
  ]);
});

it("after a failure another turn begins with the status: what could not be said is not said later", async () => {
  const { clock, speaker, podium, heard } = speaking();
  await clock.advance(0);
  heard();
  podium.isAway = true;
  speaker.say("lost");
  await clock.advance(1_500);
  speaker.say("lost too");
  podium.isAway = false;
  await clock.advance(1_000);
  speaker.say("a");
  await clock.advance(0);
  const [first, ...rest] = heard();
  expect(first).toEqual([expect.any(Number), 0, "status"]);
  expect(first?.[0]).toBeGreaterThan(1);
  expect(rest).toEqual([[first?.[0], 1, "a"]]);
});

it("when more waits than is bearable, another turn begins with the status", async () => {
  const { clock, speaker, heard, resolve } = await whileSomethingIsSaid();
  const large = "x".repeat(2 ** 20);
  for (let count = 0; count < 17; count += 1) speaker.say(large);
  resolve();
  await clock.advance(0);
  expect(heard()).toEqual([
    [1, 1, "a"],
    [2, 0, "status"],
  ]);
});

it("ends when another process speaks, and does not take the turn back", async () => {
  const { clock, speaker, podium, turns, ended } = speaking();
  await clock.advance(0);
  podium.isTaken = true;
  speaker.say("a");
  expect(await clock.finish(ended)).toBe("fenced");
  expect(turns).toHaveLength(2);
});

it("hears what is asked since it speaks", async () => {
  const { clock, podium, asked } = speaking();
  podium.asked = 7;
  await clock.advance(2_000);
  expect(asked()).toBe(0);
  podium.asked = 9;
  await clock.advance(2_000);
  expect(asked()).toBe(1);
});

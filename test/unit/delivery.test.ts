import { describe, expect, it } from "vitest";
import { DeadLettersFull, EventsMissing } from "../../src/feed/errors.ts";
import type { FeedLog } from "../../src/feed/log.ts";
import type { Outgoing, SendResult } from "../../src/publishers/delivery/destination.ts";
import { untilBy } from "../support/until.ts";
import { DeliveryRig } from "../support/delivery-rig.ts";
import { ScriptedDestination } from "../support/scripted-destination.ts";

const OK: SendResult = { outcome: "ok" };
const RETRY: SendResult = { outcome: "retry", reason: "busy" };
const IN_TENS = { batch: { maxEvents: 10, maxBytes: 65_536, maxAgeMs: 0 } };

const refuses =
  (why: "poison" | "too-old" | "too-large", ...ids: string[]) =>
  (batch: readonly Outgoing[]): SendResult =>
    batch.some(({ id }) => ids.includes(id)) ? { outcome: "refused", why, reason: "400" } : OK;

async function headOf({ feed }: DeliveryRig) {
  const { epoch, sequence } = await feed.log.head();
  return { epoch, sequence };
}

describe("a delivery", () => {
  it("sends every event, those of one object in order, and goes on where it was after a restart", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1", "b:1", "a:2", "c:1", "a:3");
    const destination = new ScriptedDestination();
    const first = await rig.begin(destination);
    await rig.clock.advance(2000);
    expect(destination.taken.toSorted()).toEqual(["a:1", "a:2", "a:3", "b:1", "c:1"]);
    expect(destination.taken.filter((id) => id.startsWith("a"))).toEqual(["a:1", "a:2", "a:3"]);
    await first.stop();
    await rig.commit("a:4");
    await rig.begin(destination);
    await rig.clock.advance(2000);
    expect(destination.taken.slice(5)).toEqual(["a:4"]);
  });

  it("does not make an event pay for the outage of before, where it is taken a little later than the others", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1", "b:1");
    const destination = new ScriptedDestination(() => RETRY);
    const { delivery } = await rig.begin(destination, {
      ...IN_TENS,
      retry: { firstMs: 5_000, mostMs: 3_600_000 },
    });
    await rig.clock.advance(3 * 3_600_000);
    // It is back: one partition has its leader a second later than the others.
    let again = 0;
    destination.answer = (batch) =>
      again++ === 0 ? { ...RETRY, which: [batch.findIndex(({ id }) => id === "b:1")] } : OK;
    await untilBy(rig.clock, 5_000)("it is asked again", () => again > 0);
    expect(destination.taken).toEqual(["a:1"]);
    expect(delivery.standing().state).toBe("delivering");
    await rig.clock.advance(60_000);
    expect(destination.taken).toEqual(["a:1", "b:1"]);
  });

  it("says why nothing is sent, also where another answer came meanwhile", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1", "b:1");
    const destination = new ScriptedDestination(async ([event]) => {
      if (event?.id === "a:1") return { ...RETRY, afterMs: 3_600_000 };
      await rig.clock.sleep(100);
      return OK;
    });
    const { delivery } = await rig.begin(destination);
    await rig.clock.advance(1_000);
    destination.answer = () => OK;
    await rig.commit("c:1");
    await rig.clock.advance(600_000);
    expect(destination.taken.includes("c:1") || delivery.standing().reason !== null).toBe(true);
  });

  it("begins with what comes, where it is told to begin now", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1");
    const destination = new ScriptedDestination();
    const first = await rig.begin(destination, { from: "now" });
    await first.stop();
    await rig.commit("a:2");
    await rig.begin(destination, { from: "now" });
    await rig.clock.advance(10);
    expect(destination.taken).toEqual(["a:2"]);
  });

  it("keeps its position behind news of which it wants none", async () => {
    await using rig = await DeliveryRig.open();
    const destination = new ScriptedDestination();
    await rig.begin(destination, { conditions: { types: ["nodes"] } });
    await rig.clock.advance(10);
    for (const id of ["a:1", "a:2"]) {
      await rig.commit(id);
      await rig.clock.advance(2000);
      expect((await rig.position())?.cursor).toEqual(await headOf(rig));
    }
    expect(destination.taken).toEqual([]);
  });

  it("sends again what was not taken, before anything else of the same object", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1", "a:2", "b:1");
    let failures = 3;
    const destination = new ScriptedDestination(([event]) =>
      event?.id === "a:1" && (failures -= 1) >= 0 ? RETRY : OK,
    );
    await rig.begin(destination);
    await rig.clock.advance(60_000);
    expect(destination.taken).toEqual(["b:1", "a:1", "a:2"]);
  });

  it("holds the position at the oldest event that is not dealt with", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1", "b:1", "c:1");
    const stuck = new ScriptedDestination(([event]) => (event?.id === "b:1" ? RETRY : OK));
    const running = await rig.begin(stuck);
    await rig.clock.advance(5000);
    await running.stop();
    expect(stuck.taken).toEqual(["a:1", "c:1"]);
    expect((await rig.position())?.cursor.sequence).toBe(1);
  });

  it("finds the poisoned events of a batch, parks them with the reason, and delivers the others in order", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1", "a:2", "b:1", "a:3", "c:1", "b:2");
    const destination = new ScriptedDestination(refuses("poison", "a:2", "b:2"));
    await rig.begin(destination, IN_TENS);
    await rig.clock.advance(2000);
    expect(destination.taken).toEqual(["a:1", "b:1", "a:3", "c:1"]);
    expect(await rig.deadLetters()).toEqual(["a:2", "b:2"]);
    const [letter] = await rig.feed.log.deadLetters.list("delivery/ops", { limit: 1 });
    expect(letter).toMatchObject({ reason: "poison: 400", id: "a:2" });
    expect((await rig.position())?.cursor.sequence).toBe(6);
  });

  it("does not bisect an answer that names the culprits", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1", "b:1", "c:1");
    const destination = new ScriptedDestination(() => ({
      outcome: "refused",
      why: "too-large",
      reason: "413",
      which: [1],
    }));
    await rig.begin(destination, IN_TENS);
    await rig.clock.advance(2000);
    expect(destination.sends).toHaveLength(1);
    expect(await rig.deadLetters()).toEqual(["b:1"]);
  });

  it("passes over what is too old for the destination, and parks nothing", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1", "b:1", "c:1");
    const destination = new ScriptedDestination(refuses("too-old", "b:1"));
    await rig.begin(destination, IN_TENS);
    await rig.clock.advance(2000);
    expect(destination.taken).toEqual(["a:1", "c:1"]);
    expect(await rig.deadLetters()).toEqual([]);
    expect((await rig.position())?.cursor.sequence).toBe(3);
  });

  it("lets a poisoned event hold up its own object only, where it is to block", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1", "a:2", "b:1", "a:3", "b:2");
    const destination = new ScriptedDestination(refuses("poison", "a:2"));
    await rig.begin(destination, { ...IN_TENS, onPoison: "block" });
    await rig.clock.advance(10_000);
    expect(destination.taken).toEqual(["a:1", "b:1", "b:2"]);
    expect(await rig.deadLetters()).toEqual([]);
    expect((await rig.position())?.cursor.sequence).toBe(1);
    expect(rig.lines.filter((line) => line.includes("refuses"))).toHaveLength(1);
    destination.answer = () => OK;
    destination.limits = { maxEvents: 1 };
    await rig.clock.advance(60_000);
    expect(destination.taken.slice(3)).toEqual(["a:2", "a:3"]);
  });

  it("reads on behind hundreds of events of an object that is held up", async () => {
    await using rig = await DeliveryRig.open();
    const held = Array.from({ length: 700 }, (_, n) => `a:${n}`);
    await rig.commit(...held, "b:1");
    const destination = new ScriptedDestination(refuses("poison", "a:0"));
    await rig.begin(destination, { onPoison: "block" });
    await rig.clock.advance(10_000);
    expect(destination.taken).toEqual(["b:1"]);
  });

  it.each(["gone", "forbidden", "config"] as const)(
    "parks nothing where a destination refuses everything (%s): it says so once, and tries again by itself",
    async (why) => {
      await using rig = await DeliveryRig.open();
      await rig.commit("a:1", "b:1");
      const destination = new ScriptedDestination(() => ({ outcome: "refused", why, reason: "401" }));
      const { delivery } = await rig.begin(destination);
      await rig.clock.advance(300_000);
      expect(await rig.deadLetters()).toEqual([]);
      expect(delivery.standing()).toMatchObject({ state: "circuit-open", reason: `${why}: 401` });
      expect(rig.lines.filter((line) => line.includes("does not take events"))).toHaveLength(1);
      expect((await rig.position())?.circuit).not.toBeNull();
      destination.answer = () => OK;
      await rig.clock.advance(120_000);
      expect(destination.taken.toSorted()).toEqual(["a:1", "b:1"]);
      expect(rig.lines.at(-1)).toBe("destination takes events again");
      expect((await rig.position())?.circuit).toBeNull();
    },
  );

  it("opens the circuit of a dead destination, asks it ever more seldom, and never gives up", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit(...Array.from({ length: 50 }, (_, n) => `o${n}:1`));
    const destination = new ScriptedDestination(async () => {
      await rig.clock.sleep(5);
      return RETRY;
    });
    await rig.begin(destination);
    await rig.clock.advance(3_600_000);
    // Each half minute in the end, as the longest wait is a minute and chance says a half.
    expect(destination.sends.length).toBeLessThan(140);
    destination.answer = () => OK;
    await rig.clock.advance(60_000);
    expect(destination.taken).toHaveLength(50);
  });

  it("waits for as long as the destination asks, but at most an hour", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1", "b:1");
    const destination = new ScriptedDestination(() => ({ ...RETRY, afterMs: 86_400_000 }));
    await rig.begin(destination, { inFlight: 1 });
    await rig.clock.advance(3_599_000);
    expect(destination.sends).toHaveLength(1);
    destination.answer = () => OK;
    await rig.clock.advance(2000);
    expect(destination.taken.toSorted()).toEqual(["a:1", "b:1"]);
  });

  it("gives a send up that hangs, and one that pays no heed to that", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1");
    const destination = new ScriptedDestination(() => new Promise(() => undefined));
    const { delivery } = await rig.begin(destination, { timeoutMs: 5000 });
    await rig.clock.advance(5001);
    expect(delivery.standing().attempts?.[0]).toMatchObject({ outcome: "retry", ms: 5000 });
    destination.answer = () => OK;
    await rig.clock.advance(5000);
    expect(destination.taken).toEqual(["a:1"]);
  });

  it("waits for more events where a batch is not full, but not longer than it may", async () => {
    await using rig = await DeliveryRig.open();
    const destination = new ScriptedDestination();
    await rig.begin(destination, { batch: { maxEvents: 3, maxBytes: 65_536, maxAgeMs: 1000 } });
    await rig.commit("a:1");
    await rig.clock.advance(900);
    expect(destination.sends).toHaveLength(0);
    await rig.commit("b:1", "c:1");
    await rig.clock.advance(1);
    expect(destination.sends).toHaveLength(1);
    await rig.commit("d:1");
    await rig.clock.advance(1100);
    expect(destination.taken).toHaveLength(4);
  });

  it("sends one batch at a time in the order of the log, where that is wanted", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1", "b:1", "a:2", "c:1", "b:2");
    let now = 0;
    const destination = new ScriptedDestination(async () => {
      now += 1;
      expect(now).toBe(1);
      await rig.clock.sleep(50);
      now -= 1;
      return OK;
    });
    await rig.begin(destination, {
      ordering: "strict",
      batch: { maxEvents: 2, maxBytes: 65_536, maxAgeMs: 0 },
    });
    await rig.clock.advance(1000);
    expect(destination.taken).toEqual(["a:1", "b:1", "a:2", "c:1", "b:2"]);
  });

  it("tells the destination which events retention took before it had them", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1", "b:1");
    const first = await rig.begin(new ScriptedDestination());
    await rig.clock.advance(1500);
    await first.stop();
    await rig.commit("a:2", "b:2", "c:2");
    await rig.feed.log.trim({ maxEvents: 1 });
    const destination = new ScriptedDestination();
    await rig.begin(destination);
    await rig.clock.advance(1500);
    const [notice] = destination.sends.flat();
    expect(JSON.parse(notice?.json ?? "{}")).toMatchObject({
      type: "nomad.feed.gap",
      data: { reason: "expired", missed: 2 },
    });
    expect(destination.taken.slice(1)).toEqual(["c:2"]);
  });

  it("tells of a new epoch, and goes on from the time of the last event that it delivered", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1");
    await rig.clock.advance(5000);
    await rig.commit("b:1");
    const first = await rig.begin(new ScriptedDestination());
    await rig.clock.advance(1500);
    await first.stop();
    rig.changeEpoch("another");
    await rig.commit("a:2");
    const destination = new ScriptedDestination();
    await rig.begin(destination, { inFlight: 1 });
    await rig.clock.advance(1500);
    expect(JSON.parse(destination.sends[0]?.[0]?.json ?? "{}")).toMatchObject({
      data: { reason: "epoch-changed" },
    });
    // Of those recorded at the very same time nobody knows which the destination had.
    expect(destination.taken.slice(1)).toEqual(["b:1", "a:2"]);
  });

  it("tells of a log that was restored from an older copy, and goes on with what was recorded since", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1");
    await rig.clock.advance(5000);
    await rig.commit("b:1", "c:1");
    const first = await rig.begin(new ScriptedDestination());
    await rig.clock.advance(1500);
    await first.stop();
    rig.goBackTo(1);
    await rig.commit("b:2");
    const destination = new ScriptedDestination();
    await rig.begin(destination);
    await rig.clock.advance(1500);
    expect(JSON.parse(destination.sends[0]?.[0]?.json ?? "{}")).toMatchObject({
      type: "nomad.feed.gap",
      data: { reason: "epoch-changed" },
    });
    expect(destination.taken.slice(1)).toEqual(["b:2"]);
    expect((await rig.position())?.cursor.sequence).toBe(2);
  });

  it("tells of a hole in the log, and goes on behind it", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1", "b:1", "c:1", "d:1");
    const destination = new ScriptedDestination();
    const hole = { after: 1, behind: 3 };
    const running = await rig.begin(destination, {}, withHole(rig.feed.log, hole));
    await rig.clock.advance(1500);
    await running.stop();
    const [, notice] = destination.sends.flat();
    expect(JSON.parse(notice?.json ?? "{}")).toMatchObject({
      type: "nomad.feed.gap",
      data: { reason: "missing", missed: 2 },
    });
    expect([destination.taken[0], destination.taken[2]]).toEqual(["a:1", "d:1"]);
    expect((await rig.position())?.cursor.sequence).toBe(4);
  });

  it("loses nothing where there are as many dead letters as there may be: it waits until there is room", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1", "b:1");
    const destination = new ScriptedDestination(refuses("poison", "a:1"));
    const { log } = rig.feed;
    let isFull = true;
    const put: typeof log.deadLetters.put = async (consumer, letter) => {
      if (isFull) throw new DeadLettersFull(consumer, 0);
      return log.deadLetters.put(consumer, letter);
    };
    const letters = new Proxy(log.deadLetters, { get: (_, name) => (name === "put" ? put : undefined) });
    const full = new Proxy(log, {
      get: (target, name) => {
        const value: unknown = name === "deadLetters" ? letters : Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const { delivery } = await rig.begin(destination, { inFlight: 1 }, full);
    await rig.clock.advance(10_000);
    expect(delivery.standing()).toMatchObject({ state: "circuit-open" });
    expect(delivery.standing().reason).toContain("dead-letters-full");
    isFull = false;
    await rig.clock.advance(120_000);
    expect(await rig.deadLetters()).toEqual(["a:1"]);
    expect(destination.taken).toContain("b:1");
  });

  it("says of the first event that is refused, and not of each that follows", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit(...Array.from({ length: 50 }, (_, n) => `o${n}:1`));
    await rig.begin(new ScriptedDestination(() => ({ outcome: "refused", why: "poison", reason: "400" })));
    await rig.clock.advance(1500);
    expect(await rig.deadLetters()).toHaveLength(50);
    expect(rig.lines.filter((line) => line.includes("dead letters"))).toHaveLength(1);
  });

  it("pauses and goes on as people say, without a send in between", async () => {
    await using rig = await DeliveryRig.open();
    const destination = new ScriptedDestination();
    const { delivery } = await rig.begin(destination);
    await rig.clock.advance(1500);
    const at = "2026-08-22T10:00:00.000Z";
    await rig.steer((position) => ({ ...position, paused: { at, reason: "deploy" } }));
    await rig.clock.advance(1500);
    await rig.commit("a:1");
    await rig.clock.advance(60_000);
    expect(destination.sends).toEqual([]);
    expect(delivery.standing()).toMatchObject({ state: "paused", reason: "deploy", since: at });
    await rig.steer((position) => ({ ...position, paused: null }));
    await rig.clock.advance(1500);
    expect(destination.taken).toEqual(["a:1"]);
  });

  it("goes back where people say so, and only then", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1", "b:1");
    const destination = new ScriptedDestination();
    await rig.begin(destination, { inFlight: 1 });
    await rig.clock.advance(1500);
    await rig.steer(({ cursor, ...position }) => ({
      ...position,
      cursor: { ...cursor, sequence: 0 },
      replays: position.replays + 1,
    }));
    await rig.clock.advance(1500);
    expect(destination.taken).toEqual(["a:1", "b:1", "a:1", "b:1"]);
  });

  it("leaves the position to the process that took it, and says that it did", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1");
    const zombie = new ScriptedDestination(() => new Promise(() => undefined));
    const first = await rig.begin(zombie);
    await rig.clock.advance(10);
    const destination = new ScriptedDestination();
    await rig.begin(destination);
    await rig.clock.advance(3000);
    expect(await rig.clock.finish(first.ending)).toBe("fenced");
    expect(destination.taken).toEqual(["a:1"]);
    expect((await rig.position())?.cursor.sequence).toBe(1);
  });

  it("takes over position and dead letters of its former name", async () => {
    await using rig = await DeliveryRig.open();
    await rig.commit("a:1", "b:1");
    const former = await rig.begin(new ScriptedDestination(refuses("poison", "b:1")), { name: "former" });
    await rig.clock.advance(1500);
    await former.stop();
    await rig.commit("a:2");
    const destination = new ScriptedDestination();
    await rig.begin(destination, { formerName: "former" });
    await rig.clock.advance(1500);
    expect(destination.taken).toEqual(["a:2"]);
    expect(await rig.deadLetters()).toEqual(["b:1"]);
    expect(await rig.deadLetters("former")).toEqual([]);
    expect(await rig.position("former")).toBeUndefined();
  });
});

/** The log without what lies between two places, as Redis reads one of which somebody deleted entries. */
function withHole(log: FeedLog, { after, behind }: { after: number; behind: number }): FeedLog {
  const read: FeedLog["read"] = async (cursor, options) => {
    if (cursor.sequence === after) throw new EventsMissing(cursor, { ...cursor, sequence: behind });
    const entries = await log.read(cursor, options);
    return entries.filter(({ sequence }) => sequence <= after || sequence > behind).slice(0, 1);
  };
  return new Proxy(log, {
    get: (target, name) => {
      const value: unknown = name === "read" ? read : Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

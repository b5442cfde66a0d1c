import { describe, expect, it } from "vitest";
import { Deliveries } from "../../src/publishers/delivery/deliveries.ts";
import type { SendResult } from "../../src/publishers/delivery/destination.ts";
import { createFanout } from "../../src/publishers/fanout/fanout.ts";
import { parseCursor, type Cursor } from "../../src/schemas/cursor.ts";
import type { DestinationConfig } from "../../src/schemas/destinations/index.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { DELIVERY_OPTIONS } from "../support/delivery-rig.ts";
import { draft, SOURCE } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { ScriptedDestination } from "../support/scripted-destination.ts";
import { TestClock } from "../support/test-clock.ts";

const POISON: SendResult = { outcome: "refused", why: "poison", reason: "400" };

/** One worker, or several on the same log, with destinations that a test scripts. */
class Workers implements AsyncDisposable {
  readonly clock: TestClock;
  readonly feed: TestFeed;
  readonly destinations = new Map<string, ScriptedDestination>();
  /** Names of the destinations that were opened, in order. */
  readonly opened: string[] = [];
  readonly #stop = new AbortController();
  readonly #performing: Promise<unknown>[] = [];

  private constructor(feed: TestFeed, clock: TestClock) {
    this.feed = feed;
    this.clock = clock;
  }

  static async open(): Promise<Workers> {
    const clock = new TestClock();
    return new Workers(await TestFeed.open({ clock }), clock);
  }

  worker(worker: string, ...configs: DestinationConfig[]): Deliveries {
    const { log, metrics } = this.feed;
    const logger = silentLogger();
    const fanout = createFanout({ log, metrics, logger, clock: this.clock });
    const deliveries = new Deliveries({
      ...fanout,
      log,
      metrics,
      logger,
      worker,
      clock: this.clock,
      source: SOURCE,
      random: () => 0.5,
      open: async ({ name }) => {
        this.opened.push(name);
        return this.destination(name);
      },
    });
    deliveries.configure(configs);
    return deliveries;
  }

  destination(name: string): ScriptedDestination {
    const destination = this.destinations.get(name) ?? new ScriptedDestination();
    this.destinations.set(name, destination);
    return destination;
  }

  async perform(deliveries: Deliveries, name: string): Promise<{ ending: Promise<unknown> }> {
    const performing = deliveries
      .perform(`deliver/${name}`, this.#stop.signal)
      .catch((error: unknown) => error);
    this.#performing.push(performing);
    await this.clock.advance(1100);
    return { ending: performing };
  }

  async commit(...ids: string[]): Promise<void> {
    const drafts = ids.map((id) => {
      const key = id.split(":")[0] ?? id;
      const resource = { type: "allocations", namespace: "default", id: key };
      const event = draft({ id, key, data: JSON.stringify({ op: "update", signals: [], resource }) });
      return { ...event, head: `${event.head}"subject":"allocations/default/${key}",` };
    });
    await this.feed.commit(...drafts);
    await this.clock.advance(1100);
  }

  async metricLines(): Promise<string[]> {
    return (await this.feed.metrics.registry.metrics()).split("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.clock.finish(Promise.all(this.#performing));
    await this.feed[Symbol.asyncDispose]();
  }
}

describe("deliveries", () => {
  it("go on untouched where a new configuration leaves them as they are, and are opened anew at their place where not", async () => {
    await using workers = await Workers.open();
    const deliveries = workers.worker("w", config("same"), config("other"));
    expect(deliveries.assignments()).toEqual(["deliver/same", "deliver/other"]);
    await workers.perform(deliveries, "same");
    await workers.perform(deliveries, "other");
    await workers.commit("a:1");
    deliveries.configure([config("same"), config("other", { fingerprint: "changed" })]);
    await workers.commit("a:2");
    expect(workers.opened).toEqual(["same", "other", "other"]);
    expect(workers.destination("same").taken).toEqual(["a:1", "a:2"]);
    expect(workers.destination("other").taken).toEqual(["a:1", "a:2"]);
  });

  it("end where a destination is taken out, keep its position for a day, and go on from it where it comes back", async () => {
    await using workers = await Workers.open();
    const deliveries = workers.worker("w", config("ops"));
    const { ending } = await workers.perform(deliveries, "ops");
    await workers.commit("a:1");
    deliveries.configure([]);
    expect(await workers.clock.finish(ending)).toBe("drained");
    expect(await deliveries.list()).toMatchObject([{ name: "ops", state: "removed", type: null }]);
    await workers.clock.advance(86_000_000);
    await deliveries.removeAbandoned();
    await workers.commit("a:2");
    deliveries.configure([config("ops")]);
    await workers.perform(deliveries, "ops");
    expect(workers.destination("ops").taken).toEqual(["a:1", "a:2"]);
    deliveries.configure([]);
    await workers.clock.advance(86_500_000);
    await deliveries.removeAbandoned();
    expect(await deliveries.list()).toEqual([]);
  });

  it("leave nothing in the metrics where a destination is taken out, and all that was counted where it only changed", async () => {
    await using workers = await Workers.open();
    const deliveries = workers.worker("w", config("ops"), config("gone"), config("idle"));
    const shown = (name: string, metric = "") =>
      workers
        .metricLines()
        .then((lines) =>
          lines.filter(
            (line) => line.startsWith(`nomad_changefeed_destination_${metric}`) && line.includes(`"${name}"`),
          ),
        );
    await workers.perform(deliveries, "ops");
    const { ending } = await workers.perform(deliveries, "gone");
    for (const name of ["ops", "gone"]) workers.destination(name).answer = () => POISON;
    await workers.commit("a:1", "a:2");
    await deliveries.test("idle");
    const all = await shown("gone");
    expect(all).toContain('nomad_changefeed_destination_events_total{destination="gone",outcome="parked"} 2');
    expect((await shown("idle")).length).toBeGreaterThan(0);
    const parked = await shown("ops", "events_total");
    deliveries.configure([config("ops", { fingerprint: "changed" })]);
    await workers.clock.finish(ending);
    await workers.clock.advance(1100);
    expect(await shown("gone")).toEqual([]);
    expect(await shown("idle")).toEqual([]);
    expect(await shown("ops", "events_total")).toEqual(parked);
    workers.destination("gone").answer = () => ({ outcome: "ok" });
    deliveries.configure([config("ops", { fingerprint: "changed" }), config("gone")]);
    await workers.perform(deliveries, "gone");
    await workers.commit("a:3");
    expect(await shown("gone", "events_total")).toEqual([
      'nomad_changefeed_destination_events_total{destination="gone",outcome="delivered"} 1',
    ]);
  });

  it("are steered by any worker, whoever delivers", async () => {
    await using workers = await Workers.open();
    const holder = workers.worker("holder", config("ops"));
    const other = workers.worker("other", config("ops"));
    await workers.perform(holder, "ops");
    await workers.commit("a:1");
    await other.pause("ops", "deploy");
    await workers.clock.advance(1100);
    await workers.commit("a:2");
    expect(workers.destination("ops").taken).toEqual(["a:1"]);
    expect(await other.show("ops")).toMatchObject({
      state: "paused",
      reason: "deploy",
      worker: "holder",
      lagEvents: 1,
      attempts: null,
    });
    expect(await holder.show("ops")).toMatchObject({ state: "paused", outcomes: { delivered: 1 } });
    expect(holder.describe("deliver/ops")).toMatchObject({ condition: null, reason: "paused: deploy" });
    await other.resume("ops");
    await workers.clock.advance(1100);
    expect(workers.destination("ops").taken).toEqual(["a:1", "a:2"]);
    await other.replay("ops", { cursor: await cursorOf(workers, 0) });
    await workers.clock.advance(1100);
    expect(workers.destination("ops").taken).toEqual(["a:1", "a:2", "a:1", "a:2"]);
  });

  it("are paused, and go on, as soon as people said so", async () => {
    await using workers = await Workers.open();
    const holder = workers.worker("holder", config("ops"));
    await workers.perform(holder, "ops");
    const states = [];
    for (const steer of [() => holder.pause("ops", "deploy"), () => holder.resume("ops")]) {
      await steer();
      const { state, reason } = await holder.show("ops");
      states.push([state, reason]);
    }
    expect(states).toEqual([
      ["paused", "deploy"],
      ["delivering", null],
    ]);
  });

  it("can be paused before anybody delivered, and name what is not there", async () => {
    await using workers = await Workers.open();
    const deliveries = workers.worker("w", config("ops"));
    expect(await deliveries.show("ops")).toMatchObject({ state: "waiting", cursor: null });
    await deliveries.pause("ops", null);
    await workers.perform(deliveries, "ops");
    await workers.commit("a:1");
    expect(workers.destination("ops").sends).toEqual([]);
    await expect(deliveries.show("opps")).rejects.toMatchObject({ code: "NO_DELIVERY" });
    await expect(deliveries.pause("opps", null)).rejects.toMatchObject({ code: "NO_DELIVERY" });
    await expect(deliveries.deadLetters.list("opps", { limit: 1 })).rejects.toMatchObject({
      code: "NO_DELIVERY",
    });
  });

  it("send a test without touching the position", async () => {
    await using workers = await Workers.open();
    const deliveries = workers.worker("w", config("ops"));
    const exchange = { request: "POST /", answer: "thanks", status: 200 };
    workers.destination("ops").answer = () => ({ outcome: "ok", exchange });
    expect(await deliveries.test("ops")).toMatchObject({ outcome: "ok", ...exchange });
    const [[event] = []] = workers.destination("ops").sends;
    expect(JSON.parse(event?.json ?? "")).toMatchObject({ type: "nomad.feed.test", specversion: "1.0" });
    expect(await deliveries.show("ops")).toMatchObject({ state: "waiting" });
  });

  it("send dead letters again, of which those that are taken are none any more, and drop them", async () => {
    await using workers = await Workers.open();
    const deliveries = workers.worker("w", config("ops"));
    const destination = workers.destination("ops");
    destination.answer = () => POISON;
    await workers.perform(deliveries, "ops");
    await workers.commit("a:1", "b:1", "c:1");
    const letters = await deliveries.deadLetters.list("ops", { limit: 10 });
    expect(letters).toMatchObject([
      { id: "a:1", reason: "poison: 400", attempts: 1 },
      { id: "b:1" },
      { id: "c:1" },
    ]);
    destination.answer = ([event]) => (event?.id === "b:1" ? POISON : { outcome: "ok" });
    expect(await deliveries.deadLetters.retry("ops", "all")).toBe(2);
    const [sent] = destination.sends.at(-1) ?? [];
    expect(sent).toMatchObject({ id: "c:1", resource: "allocations", subject: "allocations/default/c" });
    expect(await deliveries.show("ops")).toMatchObject({ deadLetters: 1 });
    expect(await deliveries.deadLetters.drop("ops", [parsed(letters[1]?.cursor)])).toBe(1);
    expect(await deliveries.show("ops")).toMatchObject({ deadLetters: 0 });
  });

  it.each(["paused", "replayed"])("heed that one is %s while it begins", async (what) => {
    await using workers = await Workers.open();
    await workers.perform(workers.worker("w", config("old")), "old");
    await workers.commit("a:1", "a:2");
    const deliveries = workers.worker("v", config("ops", { formerName: "old", from: "now" }));
    const list = workers.feed.log.deadLetters.list.bind(workers.feed.log.deadLetters);
    workers.feed.log.deadLetters.list = async (...asked) => {
      if (what === "paused") await deliveries.pause("ops", "by people");
      else
        await deliveries.replay("ops", {
          cursor: { epoch: (await workers.feed.log.head()).epoch, sequence: 1 },
        });
      workers.feed.log.deadLetters.list = list;
      return list(...asked);
    };
    await workers.perform(deliveries, "ops");
    await workers.commit("a:3");
    const taken = what === "paused" ? [] : ["a:2", "a:3"];
    expect(workers.destinations.get("ops")?.taken ?? []).toEqual(taken);
    await deliveries.resume("ops");
    await workers.clock.advance(1100);
    expect(workers.destination("ops").taken).toEqual(what === "paused" ? ["a:3"] : taken);
  });

  it("leave to other workers what is not configured here", async () => {
    await using workers = await Workers.open();
    const deliveries = workers.worker("w");
    const { ending } = await workers.perform(deliveries, "ops");
    expect(await ending).toBeInstanceOf(Error);
  });
});

function parsed(text: string | undefined): Cursor {
  return parseCursor(text ?? "") ?? { epoch: "", sequence: -1 };
}

async function cursorOf({ feed }: Workers, sequence: number): Promise<Cursor> {
  const { epoch } = await feed.log.head();
  return { epoch, sequence };
}

function config(name: string, fields: Partial<DestinationConfig> = {}): DestinationConfig {
  return {
    ...DELIVERY_OPTIONS,
    name,
    line: 1,
    settings: { type: "stdout" } as DestinationConfig["settings"],
    fingerprint: name,
    ...fields,
  };
}

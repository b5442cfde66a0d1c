import { expect, it, onTestFinished } from "vitest";
import { SharedHintSource } from "../../src/pollers/hints/shared-hint-source.ts";
import type { Hint } from "../../src/pollers/hints/hint.ts";
import type { ResourceType } from "../../src/schemas/resources.ts";
import { parseScopeName, type Scope } from "../../src/schemas/scope.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { MemoryBroadcast } from "../support/memory-broadcast.ts";
import { ScriptedNomad } from "../support/scripted-nomad.ts";
import { allocationEvent, deploymentEvent, frame, jobEvent } from "../support/stream-frames.ts";
import { TestClock } from "../support/test-clock.ts";

/** One process of the feed. */
class Worker {
  readonly nomad = new ScriptedNomad();
  readonly source: SharedHintSource;
  readonly #stop = new AbortController();
  readonly #listening: Promise<void>;
  #follow = new AbortController();
  #following: Promise<unknown> = Promise.resolve();

  constructor(team: Team) {
    const { clock, broadcast } = team;
    this.nomad.streams.allow();
    const parts = { nomad: this.nomad, clock, random: () => 0.5, logger: silentLogger() };
    const planned = () => team.planned;
    this.source = new SharedHintSource({ ...parts, metrics: createMetrics(), broadcast, planned });
    this.#listening = this.source.listen(this.#stop.signal);
  }

  /** Performs `hints`, until `end`. */
  follow(): void {
    this.#follow = new AbortController();
    this.#following = this.source.run(this.#follow.signal);
  }

  async end(): Promise<unknown> {
    this.#follow.abort();
    return this.#following;
  }

  get following(): Promise<unknown> {
    return this.#following;
  }

  /** What a scope of this process is told, in words. */
  listen(resource: ResourceType, namespace: string) {
    const told: string[] = [];
    const hints: Hint[] = [];
    const subscription = this.source.want(
      { resource, namespace },
      {
        onFrame: (heard) => {
          told.push(`${heard.index}: ${heard.hints.map(({ key }) => key).join(", ")}`);
          hints.push(...heard.hints);
        },
        onLive: () => void told.push("live"),
        onGap: (reason) => void told.push(`gap: ${reason}`),
      },
    );
    return { told, hints, subscription };
  }

  async leave(): Promise<void> {
    this.#stop.abort();
    await Promise.all([this.#listening, this.end()]);
  }
}

class Team {
  readonly clock = new TestClock();
  readonly broadcast = new MemoryBroadcast(this.clock);
  planned: readonly Scope[];

  constructor(...planned: string[]) {
    this.planned = planned.flatMap((name) => parseScopeName(name) ?? []);
  }

  join(): Worker {
    const worker = new Worker(this);
    onTestFinished(() => this.clock.finish(worker.leave()));
    return worker;
  }

  /** The first follows the stream, the second hears of it. */
  async pair(): Promise<[holder: Worker, other: Worker]> {
    const [holder, other] = [this.join(), this.join()];
    holder.follow();
    await this.clock.advance(0);
    return [holder, other];
  }
}

it("one process follows the stream for all that is planned, and the scopes of all hear it", async () => {
  const team = new Team("jobs/default", "allocations/default", "deployments/prod", "nodes/-");
  const [holder, other] = await team.pair();
  const here = holder.listen("jobs", "default");
  const jobs = other.listen("jobs", "default");
  const deployments = other.listen("deployments", "prod");
  const nodes = other.listen("nodes", "-");
  await team.clock.advance(0);
  expect(holder.nomad.streams.requests).toMatchObject([
    { namespace: "*", topics: ["Job", "Allocation", "Evaluation", "Deployment", "Node"] },
  ]);
  expect(holder.source.state).toEqual({ kind: "live" });
  const deployment = deploymentEvent("d1", "web", { namespace: "prod", fields: { JobVersion: 2 } });
  holder.nomad.streams.last.send(frame(10, allocationEvent("a1", "web")), frame(11, deployment));
  await team.clock.advance(0);
  expect(here.told).toEqual(["live", "10: web"]);
  expect(jobs.told).toEqual(["live", "10: web"]);
  expect(nodes.told).toEqual(["live"]);
  expect(deployments.told).toEqual(["live", "11: d1"]);
  expect(deployments.hints).toMatchObject([{ resource: "deployments", index: 11n, cause: "Deployment" }]);
  expect(JSON.parse(String(deployments.hints[0]?.payload))).toEqual({
    ID: "d1",
    JobID: "web",
    JobVersion: 2,
  });
  expect([10n, 11n].map((index) => jobs.subscription.explains(index))).toEqual([true, false]);
  expect([10n, 11n].map((index) => deployments.subscription.explains(index))).toEqual([false, true]);
  expect(other.nomad.streams.requests).toEqual([]);
  expect(other.source.state).toEqual({ kind: "off" });
});

it("who comes later hears within two seconds, and takes nothing of before for explained", async () => {
  const team = new Team("jobs/default");
  const [holder] = await team.pair();
  holder.nomad.streams.last.send(frame(10, jobEvent("web")));
  await team.clock.advance(500);
  const late = team.join();
  const jobs = late.listen("jobs", "default");
  await team.clock.advance(0);
  holder.nomad.streams.last.send(frame(11, jobEvent("web")));
  await team.clock.advance(0);
  expect(jobs.told).toEqual([]);
  await team.clock.advance(1_500);
  holder.nomad.streams.last.send(frame(12, jobEvent("web")));
  await team.clock.advance(0);
  expect(jobs.told).toEqual(["live", "12: web"]);
  expect([10n, 11n, 12n].map((index) => jobs.subscription.explains(index))).toEqual([false, false, true]);
});

it("what the stream lost, all are told of", async () => {
  const team = new Team("jobs/default");
  const [holder, other] = await team.pair();
  const jobs = other.listen("jobs", "default");
  await team.clock.advance(0);
  holder.nomad.streams.last.sendLine(Buffer.from("no frame"));
  await team.clock.advance(0);
  expect(jobs.told).toEqual(["live", "gap: a frame could not be read", "live"]);
});

it("where the one who follows falls silent, the others read lists until another follows", async () => {
  const team = new Team("jobs/default");
  const [holder, other] = await team.pair();
  const third = team.join();
  const [jobs, there] = [other.listen("jobs", "default"), third.listen("jobs", "default")];
  await team.clock.advance(2_000);
  team.broadcast.isMute = true;
  await team.clock.advance(6_000);
  expect(jobs.told).toEqual(["live", "gap: heard nothing for 6 s"]);
  const late = other.listen("jobs", "default");
  await team.clock.advance(0);
  expect(late.told).toEqual([]);
  team.broadcast.isMute = false;
  other.follow();
  await team.clock.advance(0);
  expect(jobs.told.splice(0)).toEqual(["live", "gap: heard nothing for 6 s", "live"]);
  expect(there.told.splice(0)).toEqual(["live", "gap: heard nothing for 6 s", "live"]);
  // The first finds out when it has something to say, and hears like the others from then on.
  await team.clock.advance(2_000);
  expect(await holder.following).toBe("fenced");
  expect(holder.nomad.streams.last.isClosed).toBe(true);
  const again = holder.listen("jobs", "default");
  await team.clock.advance(2_000);
  other.nomad.streams.last.send(frame(20, jobEvent("web")));
  await team.clock.advance(0);
  for (const { told } of [jobs, there]) expect(told).toEqual(["20: web"]);
  expect(again.told).toEqual(["live", "20: web"]);
});

it("between two who follow lies a gap, for the scopes of both too", async () => {
  const team = new Team("jobs/default");
  const [holder, other] = await team.pair();
  const scopes = [holder.listen("jobs", "default"), other.listen("jobs", "default")];
  await team.clock.advance(0);
  expect(await team.clock.finish(holder.end())).toBe("stopped");
  other.follow();
  await team.clock.advance(2_000);
  for (const { told } of scopes) expect(told).toEqual(["live", expect.stringMatching(/^gap/), "live"]);
});

it("a namespace that is planned later is followed too", async () => {
  const team = new Team("jobs/default");
  const [holder, other] = await team.pair();
  const fresh = other.listen("jobs", "fresh");
  await team.clock.advance(0);
  expect(fresh.told).toEqual([]);
  team.planned = [...team.planned, { resource: "jobs", namespace: "fresh" }];
  holder.source.replanned();
  await team.clock.advance(250);
  expect(fresh.told).toEqual(["live"]);
});

it("waits for a plan", async () => {
  const team = new Team();
  const [holder, other] = await team.pair();
  const jobs = other.listen("jobs", "default");
  await team.clock.advance(0);
  expect(holder.nomad.streams.requests).toEqual([]);
  team.planned = [{ resource: "jobs", namespace: "default" }];
  holder.source.replanned();
  await team.clock.advance(0);
  expect(jobs.told).toEqual(["live"]);
});

it("any process can have the stream begun anew", async () => {
  const team = new Team("jobs/*");
  const [holder, other] = await team.pair();
  other.source.renew();
  await team.clock.advance(2_250);
  expect(holder.nomad.streams.opened).toHaveLength(2);
  holder.source.renew();
  await team.clock.advance(250);
  expect(holder.nomad.streams.opened).toHaveLength(3);
});

it("where the token may not hear all, a scope hears the stream of its namespace alone", async () => {
  const team = new Team("jobs/default", "jobs/prod");
  const [holder, other] = [team.join(), team.join()];
  holder.nomad.streams.refuse(({ namespace }) => (namespace === "*" ? "NOMAD_STREAM_DENIED" : undefined));
  holder.follow();
  const [here, there] = [other.listen("jobs", "default"), other.listen("jobs", "prod")];
  await team.clock.advance(0);
  holder.nomad.streams.opened[1]?.send(frame(10, jobEvent("web", { namespace: "prod" })));
  await team.clock.advance(0);
  expect(here.told).toEqual(["live"]);
  expect(there.told).toEqual(["live", "10: web"]);
  expect([here, there].map(({ subscription }) => subscription.explains(10n))).toEqual([false, true]);
});

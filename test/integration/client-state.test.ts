import { isDeepStrictEqual } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { StreamRefused, watchState, type StateChange } from "../../packages/client/src/index.ts";
import { buildChangeEvents, stateRevOf } from "../../src/events/build.ts";
import type { ObjectChange } from "../support/drafts.ts";
import { changeOf, contextOf } from "../support/event-fixtures.ts";
import { TestFeed } from "../support/http-feed.ts";
import { hello, scriptedFeed, sends } from "../support/scripted-feed.ts";
import { simulatorTruth } from "../support/simulator-truth.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";
import { watchCluster } from "../support/watched-cluster.ts";

const QUICK = { retry: { baseMs: 1, maxMs: 1 } };

interface Version {
  readonly rev: number;
  readonly status: string;
}

const job = (name: string, { rev, status }: Version) => ({
  ID: name,
  Name: name,
  Namespace: "default",
  Status: status,
  ModifyIndex: rev,
});

/** A job's change as the bridge writes it; without a version before it is new, without one after it is gone. */
function jobChange(name: string, before?: Version, after?: Version, maxEventBytes?: number): ObjectChange {
  const change = changeOf("jobs", before && job(name, before), after && job(name, after));
  const context = contextOf({}, maxEventBytes === undefined ? {} : { maxEventBytes });
  const [event] = buildChangeEvents(change, context);
  if (event === undefined) throw new Error("no event");
  const next = change.after && { rev: stateRevOf(change), stub: change.after.bytes };
  return { event, state: { ref: change.ref, next: next ?? null } };
}

const pending = { rev: 1, status: "pending" };
const running = { rev: 2, status: "running" };

/** With the digits that JavaScript's numbers keep. */
function inJavaScript(exact: unknown): unknown {
  return JSON.parse(JSON.stringify(exact));
}

/** What a scripted server says. */
const text = (type: string, rest: object) => JSON.stringify({ type: `nomad.${type}`, ...rest });
const mark = (phase: string) => text("feed.snapshot", { data: { phase, cursor: "e-1" } });
const about = (data: object) => ({
  subject: "jobs/default/a",
  data: { resource: { type: "jobs" }, rev: { current: "2" }, ...data },
});
const large = (cursor: string) =>
  text("job.updated", { cursor, dataref: `/v1/data/${cursor}`, ...about({}) });

let feed: TestFeed;
let stop: AbortController;
beforeEach(async () => {
  feed = await TestFeed.open();
  stop = new AbortController();
});
afterEach(async () => {
  vi.restoreAllMocks();
  stop.abort();
  await feed[Symbol.asyncDispose]();
});

function watch(url: string) {
  const told: string[] = [];
  const side = (object: StateChange<"jobs">["after"]) => object?.stub.Status ?? "-";
  const state = watchState({
    ...QUICK,
    url,
    types: ["jobs"],
    signal: stop.signal,
    onChange: ({ subject, before, after }) =>
      told.push(`${subject.replace("jobs/default/", "")} ${side(before)} ${side(after)}`),
  });
  const statuses = () =>
    Object.fromEntries(
      [...state.objects].map(([subject, { stub }]) => [subject.replace("jobs/default/", ""), stub.Status]),
    );
  return { state, told, statuses };
}

describe("watchState", () => {
  it("ends up with what a cluster has, through connections that break", async () => {
    const cluster = await watchCluster();
    await using proxy = await TcpProxy.to(Number(new URL(cluster.bridge.url).port));
    const state = watchState({ ...QUICK, url: `http://127.0.0.1:${proxy.port}`, signal: stop.signal });
    await state.ready;
    for (let round = 0; round < 10; round += 1) {
      proxy.cut();
      cluster.simulator.churn(20);
      await cluster.polls(2);
      proxy.mend();
    }
    await cluster.settled();
    const truth = new Map<string, unknown>(
      [...simulatorTruth(cluster.simulator)].map(([subject, stub]) => [subject, inJavaScript(stub)]),
    );
    await until("the state is the cluster's", () =>
      isDeepStrictEqual(new Map([...state.objects].map(([subject, { stub }]) => [subject, stub])), truth),
    );
    expect(truth.size).toBeGreaterThan(60);
    stop.abort();
    await state.ended;
    await cluster.close();
  });

  it("holds the objects as they are, then each change, through a restart of the server", async () => {
    await feed.commitObjects(jobChange("a", undefined, pending), jobChange("b", undefined, running));
    const { url, server } = await feed.serve();
    const { state, told, statuses } = watch(url);
    await state.ready;
    expect(statuses()).toEqual({ a: "pending", b: "running" });
    expect(state.isConnected).toBe(true);

    await feed.commitObjects(jobChange("a", pending, running), jobChange("b", running));
    await until("both changes", () => told.length === 4);
    expect(statuses()).toEqual({ a: "running" });

    await server.stop("restart");
    await until("the connection is lost", () => !state.isConnected);
    await feed.commitObjects(jobChange("c", undefined, pending));
    await feed.serve({ port: Number(new URL(url).port) });
    await until("what happened meanwhile", () => state.objects.has("jobs/default/c"));
    expect(told).toEqual(["a - pending", "b - running", "a pending running", "b running -", "c - pending"]);
    expect(state.cursor).toBe(await feed.headCursor());
    stop.abort();
    await state.ended;
  });

  it("keeps and names what is too large for its event and cannot be fetched, and goes on", async () => {
    const object = text("job.snapshot", about({ after: { Status: "old" } }));
    const other = { subject: "jobs/default/b" };
    using server = await scriptedFeed(
      sends([
        hello("e-1"),
        mark("begin"),
        object,
        mark("end"),
        large("e-2"),
        text("job.created", { cursor: "e-3", ...about({ after: { Status: "small" } }), ...other }),
      ]),
    );
    const named: string[] = [];
    const state = watchState({
      ...QUICK,
      url: server.url,
      signal: stop.signal,
      onIncomplete: ({ subject, reason }) => named.push(`${subject}: ${reason}`),
    });
    await until(
      "what follows is there",
      () => state.objects.get("jobs/default/b")?.stub["Status"] === "small",
    );
    expect(named).toEqual(["jobs/default/a: /v1/data/e-2 answered 404"]);
    expect([...state.incomplete.keys()]).toEqual(["jobs/default/a"]);
    expect(state.objects.get("jobs/default/a")?.stub["Status"]).toBe("old");
    expect(server.queries).toHaveLength(1);
    server.say(text("job.updated", { cursor: "e-4", ...about({ after: { Status: "new" } }) }));
    await until("the next version", () => state.objects.get("jobs/default/a")?.stub["Status"] === "new");
    expect(state.incomplete.size).toBe(0);
  });

  it("waits where one snapshot after the other does not help", async () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    using server = await scriptedFeed(sends([hello("e-1"), mark("begin"), mark("end"), large("e-2")]));
    server.answerData(410, { code: "CURSOR_EXPIRED" });
    const state = watchState({ url: server.url, signal: stop.signal, retry: { baseMs: 3_600_000 } });
    await until("it gave the connection up", () => server.queries.length > 0 && server.open === 0);
    // Time enough to come back several times.
    for (let times = 0; times < 10; times += 1) await fetch(server.url);
    expect(server.queries).toHaveLength(1);
    stop.abort();
    await state.ended;
  });

  it("takes a new snapshot where retention was faster", async () => {
    await feed.commitObjects(jobChange("a", undefined, pending), jobChange("b", undefined, running));
    const { url, server } = await feed.serve();
    const { state, told, statuses } = watch(url);
    await state.ready;
    await server.stop("restart");
    await until("the connection is lost", () => !state.isConnected);
    await feed.commitObjects(jobChange("a", pending, running), jobChange("b", running));
    await feed.commitObjects(jobChange("c", undefined, pending));
    await feed.log.trim({ maxEvents: 1 });
    await feed.serve({ port: Number(new URL(url).port) });
    await until("the state is right again", () => state.objects.has("jobs/default/c"));
    expect(statuses()).toEqual({ a: "running", c: "pending" });
    expect(told.slice(2)).toEqual(["b running -", "a pending running", "c - pending"]);
  });

  it("fetches what was too large for its event", async () => {
    const { url } = await feed.serve();
    const { state, told } = watch(url);
    await state.ready;
    const long = { rev: 2, status: "x".repeat(4000) };
    await feed.commitObjects(jobChange("a", undefined, long, 2000));
    await until("the change", () => told.length === 1);
    expect(state.objects.get("jobs/default/a")?.stub["Status"]).toBe(long.status);
  });

  it("ends with an error that names what is wrong, also for who only waits for the first snapshot", async () => {
    const { url } = await feed.serve();
    const state = watchState({ url, subjects: ["web"] });
    await expect(state.ready).rejects.toThrow(StreamRefused);
    await expect(state.ended).rejects.toMatchObject({ reason: "INVALID_PARAMETER", field: "subjects" });
  });

  it("ends with what its listener throws", async () => {
    await feed.commitObjects(jobChange("a", undefined, pending));
    const { url } = await feed.serve();
    const state = watchState({
      url,
      onChange: () => {
        throw new Error("full");
      },
    });
    await expect(state.ended).rejects.toThrow("full");
  });

  it("does not become ready once it was told to end", async () => {
    const state = watchState({ url: "http://127.0.0.1:1", signal: AbortSignal.abort(new Error("enough")) });
    await expect(state.ready).rejects.toThrow("enough");
    await state.ended;
  });
});

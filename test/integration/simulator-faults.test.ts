import { once } from "node:events";
import { connect } from "node:net";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { simulatedNomad, type Answer } from "../support/simulated-nomad.ts";

const outcome = (answer: Promise<Answer>): Promise<number | string> =>
  answer.then(
    ({ status }) => status,
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );

describe("faults of single answers", () => {
  it("resets connections, at once or asleep", async () => {
    await using nomad = await simulatedNomad();
    nomad.simulator.faults.add({ kind: "reset", times: 1 });
    expect(await outcome(nomad.ask("/v1/jobs"))).toBe("ECONNRESET");
    nomad.simulator.faults.add({ kind: "reset-blocked", times: 1 });
    const { answer } = await nomad.sleep("/v1/jobs?index=1&wait=60ms");
    expect(await outcome(answer)).toBe("ECONNRESET");
    expect(await outcome(nomad.ask("/v1/jobs"))).toBe(200);
  });

  it("turns requests away with the raw 429", async () => {
    await using nomad = await simulatedNomad();
    nomad.simulator.faults.add({ kind: "429", times: 1 });
    const answer = await nomad.ask("/v1/jobs");
    expect([answer.status, answer.headers]).toEqual([
      429,
      { "content-type": "text/plain", "content-length": "81", connection: "close" },
    ]);
    expect(answer.text).toContain("too many concurrent connections");
  });

  it.each([0, 40])("ends the connection in the middle of a body (%i allocations)", async (allocations) => {
    await using nomad = await simulatedNomad({ allocations });
    nomad.simulator.faults.add({ kind: "eof" });
    expect(["ECONNRESET", "aborted"]).toContain(await outcome(nomad.ask("/v1/allocations?namespace=*")));
  });

  it("ends the connection also for a client that has asked before the answer to its last question ended", async () => {
    await using nomad = await simulatedNomad({ allocations: 5 });
    const { faults } = nomad.simulator;
    faults.add({ kind: "slow-body", times: 1 });
    faults.add({ kind: "eof", times: 1 });
    const { hostname, port } = new URL(nomad.url);
    const socket = connect(Number(port), hostname);
    socket.write("GET /v1/nodes HTTP/1.1\r\nHost: nomad\r\n\r\n".repeat(2));
    socket.resume();
    expect(await once(socket, "close")).toEqual([false]);
  });

  it("cuts a gzip stream inside a whole answer, for who takes gzip", async () => {
    await using nomad = await simulatedNomad({ allocations: 20 });
    nomad.simulator.faults.add({ kind: "truncated-gzip", times: 1 });
    expect((await nomad.ask("/v1/nodes")).status).toBe(200);
    const cut = await nomad.ask("/v1/nodes", { "accept-encoding": "gzip" });
    expect(cut.status).toBe(200);
    expect(() => gunzipSync(cut.raw)).toThrow("unexpected end of file");
  });

  it("trickles a body that is whole in the end", async () => {
    await using nomad = await simulatedNomad({ allocations: 5 });
    const whole = JSON.parse((await nomad.ask("/v1/allocations?namespace=*")).text);
    nomad.simulator.faults.add({ kind: "slow-body", delayMs: 1, chunkBytes: 2000 });
    expect(JSON.parse((await nomad.ask("/v1/allocations?namespace=*")).text)).toEqual(whole);
  });

  it("answers with another content type, without an index, or with 500", async () => {
    await using nomad = await simulatedNomad({ allocations: 5 });
    const { faults } = nomad.simulator;
    faults.add({ kind: "wrong-content-type", times: 1 });
    expect((await nomad.ask("/v1/nodes")).headers["content-type"]).toBe("text/html; charset=utf-8");
    faults.add({ kind: "missing-index", times: 1 });
    const indexless = await nomad.ask("/v1/nodes");
    expect([indexless.status, indexless.headers["x-nomad-index"]]).toEqual([200, undefined]);
    faults.add({ kind: "500", times: 1 });
    expect((await nomad.ask("/v1/nodes")).status).toBe(500);
    expect((await nomad.ask("/v1/nodes")).index).toBeGreaterThan(0);
  });

  it("hits only what it is limited to, as often as the seed says", async () => {
    await using nomad = await simulatedNomad({ seed: 3 });
    const { faults } = nomad.simulator;
    const handle = faults.add({ kind: "500", resource: "nodes" });
    expect([await outcome(nomad.ask("/v1/jobs")), await outcome(nomad.ask("/v1/nodes"))]).toEqual([200, 500]);
    handle.remove();
    faults.add({ kind: "500", namespace: "qa" });
    expect([await outcome(nomad.ask("/v1/jobs")), await outcome(nomad.ask("/v1/jobs?namespace=qa"))]).toEqual(
      [200, 500],
    );
    faults.clear();
    const half = faults.add({ kind: "500", probability: 0.5 });
    for (let request = 0; request < 30; request += 1) await nomad.ask("/v1/jobs");
    expect(half.hits).toBeGreaterThan(5);
    expect(half.hits).toBeLessThan(25);
  });
});

describe("the connection limit", () => {
  it("turns the next one away, and a client that left keeps its slot until the query ends", async () => {
    await using nomad = await simulatedNomad({ connectionLimit: 2 });
    const { simulator, url } = nomad;
    const leaving = new AbortController();
    for (let query = 0; query < 2; query += 1) {
      fetch(`${url}/v1/jobs?index=1&wait=20s`, { signal: leaving.signal }).catch(() => {});
    }
    while (simulator.sleepers < 2) await new Promise((resolve) => setImmediate(resolve));
    expect((await nomad.ask("/v1/nodes")).status).toBe(429);
    leaving.abort();
    expect((await nomad.ask("/v1/nodes")).status).toBe(429);
    expect(simulator.connections.taken).toBe(2);
    simulator.cluster.registerJob({ id: "web" });
    while (simulator.connections.taken > 0) await new Promise((resolve) => setImmediate(resolve));
    expect((await nomad.ask("/v1/nodes")).status).toBe(200);
  });
});

describe("faults of the cluster", () => {
  it("without a leader ends sleepers, holds others, and answers stale reads with growing contact", async () => {
    let nowMs = 1_795_432_399_000;
    await using nomad = await simulatedNomad({ leaderHoldMs: 30, clock: () => nowMs });
    const { faults } = nomad.simulator;
    const { answer } = await nomad.sleep("/v1/jobs?index=1&wait=20s");
    const stale = await nomad.sleep("/v1/jobs?index=1&wait=60ms&stale");
    faults.loseLeader();
    expect(await answer).toMatchObject({ status: 500, text: "rpc error: EOF" });
    expect((await stale.answer).headers["x-nomad-knownleader"]).toBe("true");
    nowMs += 1234;
    expect(await nomad.ask("/v1/jobs")).toMatchObject({ status: 500, text: "No cluster leader" });
    const follower = await nomad.ask("/v1/jobs?stale");
    expect(follower.status).toBe(200);
    expect(follower.headers).toMatchObject({ "x-nomad-knownleader": "false", "x-nomad-lastcontact": "1234" });
    faults.electLeader();
    expect((await nomad.ask("/v1/jobs")).status).toBe(200);
  });

  it("lets a held request through once there is a leader", async () => {
    await using nomad = await simulatedNomad({ leaderHoldMs: 20_000 });
    nomad.simulator.faults.loseLeader();
    const answer = nomad.ask("/v1/jobs");
    await nomad.ask("/v1/jobs?stale");
    nomad.simulator.faults.electLeader();
    expect((await answer).status).toBe(200);
  });

  it("changing leaders ends sleeping queries only", async () => {
    await using nomad = await simulatedNomad();
    const { answer } = await nomad.sleep("/v1/jobs?index=1&wait=20s");
    nomad.simulator.faults.changeLeader();
    expect((await answer).text).toBe("rpc error: EOF");
    expect((await nomad.ask("/v1/jobs")).status).toBe(200);
  });

  it("a lagging follower shows stale readers the past", async () => {
    await using nomad = await simulatedNomad();
    const { cluster, faults } = nomad.simulator;
    faults.lagFollower(2);
    cluster.createNamespace("a");
    cluster.createNamespace("b");
    cluster.createNamespace("c");
    const names = async (path: string) =>
      JSON.parse((await nomad.ask(path)).text).map(({ Name }: { Name: string }) => Name);
    expect(await names("/v1/namespaces")).toEqual(["a", "b", "c", "default"]);
    expect(await names("/v1/namespaces?stale")).toEqual(["a", "default"]);
    const [now, past] = [await nomad.ask("/v1/namespaces"), await nomad.ask("/v1/namespaces?stale")];
    expect(now.index - past.index).toBe(2);
    faults.catchUp();
    expect(await names("/v1/namespaces?stale")).toEqual(["a", "b", "c", "default"]);
  });
});

describe("a restored snapshot", () => {
  it("leaves sleepers asleep, takes their index back when they time out, and jumps ahead with the next write", async () => {
    await using nomad = await simulatedNomad();
    const { simulator } = nomad;
    simulator.cluster.runJob({ id: "old" });
    const snapshot = simulator.snapshot();
    const before = await nomad.ask("/v1/jobs");
    simulator.cluster.runJob({ id: "new" });
    const { index } = await nomad.ask("/v1/jobs");
    const { answer } = await nomad.sleep(`/v1/jobs?index=${index}&wait=60ms`);
    simulator.restore(snapshot);
    const late = await answer;
    expect([late.index, late.text]).toEqual([before.index, before.text]);
    simulator.cluster.registerJob({ id: "next" });
    expect((await nomad.ask("/v1/jobs")).index).toBeGreaterThan(index);
  });

  it("hidden, wakes them with an index above theirs and other content", async () => {
    await using nomad = await simulatedNomad();
    const { simulator } = nomad;
    simulator.cluster.runJob({ id: "old" });
    const snapshot = simulator.snapshot();
    simulator.cluster.runJob({ id: "new" });
    const lists = ["jobs", "nodes", "allocations", "deployments", "evaluations", "namespaces"];
    const answers = await Promise.all(
      lists.map(async (list) => {
        const { index } = await nomad.ask(`/v1/${list}`);
        return { index, query: await nomad.sleep(`/v1/${list}?index=${index}&wait=20s`) };
      }),
    );
    simulator.restore(snapshot, { hidden: true });
    for (const { index, query } of answers) expect((await query.answer).index).toBeGreaterThan(index);
    expect((await nomad.ask("/v1/jobs")).text).not.toContain('"ID":"new"');
  });

  it("is in the journal as the changes it makes", async () => {
    await using nomad = await simulatedNomad({ seed: 8, allocations: 60, namespaces: 2 });
    const { simulator } = nomad;
    const folded = simulator.state();
    simulator.churn(60);
    const snapshot = simulator.snapshot();
    simulator.churn(60);
    simulator.restore(snapshot);
    simulator.churn(60);
    for (const { resource, namespace, key, after } of simulator.journal.entries) {
      const rows = folded.get(resource) as Map<string, string>;
      if (after === undefined) rows.delete(`${namespace}/${key}`);
      else rows.set(`${namespace}/${key}`, after);
    }
    expect(folded).toEqual(simulator.state());
  });

  it("is in the journal as a delete and a create where it brings back who had the name before", async () => {
    await using nomad = await simulatedNomad();
    const { simulator } = nomad;
    const { cluster, journal } = simulator;
    cluster.registerJob({ id: "web" });
    const before = simulator.snapshot();
    cluster.purgeJob("default", "web");
    cluster.registerJob({ id: "web" });
    simulator.restore(before);
    const jobs = journal.entries.filter(({ resource }) => resource === "jobs");
    expect(jobs.map(({ op }) => op)).toEqual(["create", "delete", "create", "delete", "create"]);
  });
});

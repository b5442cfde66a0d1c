import { describe, expect, it } from "vitest";
import { simulatedNomad } from "../support/simulated-nomad.ts";

const LONG = "wait=20s";
const SHORT = "wait=50ms";

describe("a blocking query", () => {
  it("answers at once without an index, and with one below the list's", async () => {
    await using nomad = await simulatedNomad();
    nomad.simulator.cluster.runJob({ id: "web" });
    const first = await nomad.ask("/v1/jobs");
    expect(first.index).toBeGreaterThan(1);
    expect((await nomad.ask(`/v1/jobs?index=0&${LONG}`)).index).toBe(first.index);
    expect((await nomad.ask(`/v1/jobs?index=${first.index - 1}&${LONG}`)).text).toBe(first.text);
  });

  it("gives index 0 for a table nobody wrote, and at least 1 for namespaces and policies", async () => {
    await using nomad = await simulatedNomad({ acl: true });
    const headers = { "x-nomad-token": nomad.simulator.managementToken?.secretId ?? "" };
    for (const list of ["jobs", "nodes", "allocations", "evaluations", "deployments"]) {
      expect((await nomad.ask(`/v1/${list}`, headers)).index).toBe(0);
    }
    expect((await nomad.ask("/v1/namespaces", headers)).index).toBeGreaterThanOrEqual(1);
    expect((await nomad.ask("/v1/acl/policies", headers)).index).toBe(1);
    const { answer } = await nomad.sleep(`/v1/jobs?index=1&${LONG}`, headers);
    nomad.simulator.cluster.createNamespace("qa");
    nomad.simulator.cluster.registerJob({ id: "web" });
    expect((await answer).index).toBe(nomad.simulator.index);
  });

  it("returns the last run's index when the wait is over, even one below what was asked", async () => {
    await using nomad = await simulatedNomad();
    nomad.simulator.cluster.createNamespace("qa");
    const { index, text } = await nomad.ask("/v1/namespaces");
    const late = await nomad.ask(`/v1/namespaces?index=999999&${SHORT}`);
    expect([late.index, late.text]).toEqual([index, text]);
  });

  it("wakes on a job's summary alone", async () => {
    await using nomad = await simulatedNomad();
    const { cluster } = nomad.simulator;
    const [id = ""] = cluster.runJob({ id: "web" });
    const { index } = await nomad.ask("/v1/jobs");
    const { answer } = await nomad.sleep(`/v1/jobs?index=${index}&${LONG}`);
    cluster.setAllocStatus(id, "unknown");
    const [job] = JSON.parse((await answer).text);
    expect(job.JobSummary.Summary.web).toMatchObject({ Unknown: 1 });
    expect(job.ModifyIndex).toBeLessThanOrEqual(index);
  });

  it("in a namespace with objects sleeps through other namespaces' writes, then knows an old index", async () => {
    await using nomad = await simulatedNomad();
    const { cluster } = nomad.simulator;
    cluster.runJob({ id: "a", namespace: "qa" });
    for (const list of ["jobs", "allocations", "evaluations", "deployments"]) {
      const { index, text } = await nomad.ask(`/v1/${list}?namespace=qa`);
      const { answer } = await nomad.sleep(`/v1/${list}?namespace=qa&index=${index}&wait=80ms`);
      cluster.runJob({ id: `other-${list}`, namespace: "default" });
      expect(nomad.simulator.sleepers).toBe(1);
      const late = await answer;
      expect([late.index, late.text]).toEqual([index, text]);
      const next = await nomad.ask(`/v1/${list}?namespace=qa&index=${index}&${LONG}`);
      expect(next.index).toBeGreaterThan(index);
      expect(next.text).toBe(text);
    }
  });

  it("in an empty namespace wakes on every write to the table", async () => {
    await using nomad = await simulatedNomad();
    const { cluster } = nomad.simulator;
    cluster.runJob({ id: "web" });
    for (const list of ["jobs", "allocations", "evaluations"]) {
      const { index } = await nomad.ask(`/v1/${list}?namespace=qa`);
      const { answer } = await nomad.sleep(`/v1/${list}?namespace=qa&index=${index}&${LONG}`);
      cluster.runJob({ id: `more-${list}` });
      const woken = await answer;
      expect(woken.text).toBe("[]");
      expect(woken.index).toBeGreaterThan(index);
    }
  });

  it("in an empty namespace sleeps through those it shares no beginning with, where it shares one with another", async () => {
    await using nomad = await simulatedNomad();
    const { cluster } = nomad.simulator;
    cluster.runJob({ id: "web" });
    cluster.runJob({ id: "web", namespace: "team-a" });
    const { index } = await nomad.ask("/v1/jobs?namespace=team-b");
    const { answer } = await nomad.sleep(`/v1/jobs?namespace=team-b&index=${index}&${LONG}`);
    cluster.runJob({ id: "more" });
    expect(nomad.simulator.sleepers).toBe(1);
    cluster.registerJob({ id: "more", namespace: "team-a" });
    expect((await answer).text).toBe("[]");
  });

  it("woken with an index no higher than asked, goes on sleeping", async () => {
    await using nomad = await simulatedNomad();
    const { cluster } = nomad.simulator;
    cluster.runJob({ id: "web" });
    const [evaluation] = JSON.parse((await nomad.ask("/v1/evaluations")).text);
    const { index } = await nomad.ask("/v1/evaluations");
    const { answer } = await nomad.sleep(`/v1/evaluations?index=${index}&wait=80ms`);
    cluster.deleteEvaluations([evaluation.ID]);
    const late = await answer;
    expect([late.index, late.text]).toEqual([index, "[]"]);
  });

  it("of nodes wakes for an allocation's report and a node event, with nothing to show for it", async () => {
    await using nomad = await simulatedNomad();
    const { cluster } = nomad.simulator;
    const [id = ""] = cluster.runJob({ id: "web" });
    const [node] = JSON.parse((await nomad.ask("/v1/nodes")).text);
    for (const write of [() => cluster.restartTask(id), () => cluster.addNodeEvent(node.ID)]) {
      const { index } = await nomad.ask("/v1/nodes");
      const { answer } = await nomad.sleep(`/v1/nodes?index=${index}&${LONG}`);
      write();
      const woken = await answer;
      expect(woken.index).toBeGreaterThan(index);
      expect(JSON.parse(woken.text)).toEqual([node]);
    }
  });

  it("with a prefix of its own sleeps through other ids", async () => {
    await using nomad = await simulatedNomad();
    const { cluster } = nomad.simulator;
    const [id = ""] = cluster.runJob({ id: "web" });
    const prefix = id.slice(0, 2);
    const { index } = await nomad.ask(`/v1/allocations?prefix=${prefix}`);
    const { answer } = await nomad.sleep(`/v1/allocations?prefix=${prefix}&index=${index}&${LONG}`);
    const others = cluster.runJob({ id: "other", groups: [{ name: "g", count: 5, tasks: ["t"] }] });
    expect(others.filter((other) => other.startsWith(prefix))).toEqual([]);
    expect(nomad.simulator.sleepers).toBe(1);
    cluster.setAllocStatus(id, "unknown");
    expect((await answer).text).toContain(`"ID":"${id}"`);
  });

  it("of an exact id wakes when it changes and when it goes, and knows the table's index", async () => {
    await using nomad = await simulatedNomad({ allocations: 300 });
    const { cluster } = nomad.simulator;
    const [row] = cluster.state.tables.allocations.values();
    const path = `/v1/allocations?namespace=${row?.namespace}&prefix=${row?.key}`;
    const first = await nomad.ask(path);
    expect(JSON.parse(first.text).map(({ ID }: { ID: string }) => ID)).toEqual([row?.key]);
    expect(first.index).toBe((await nomad.ask("/v1/allocations?namespace=*&per_page=1")).index);
    const changed = await nomad.sleep(`${path}&index=${first.index}&${LONG}`);
    cluster.setAllocStatus(row?.key ?? "", "unknown");
    const { index, text } = await changed.answer;
    expect(JSON.parse(text)).toMatchObject([{ ID: row?.key, ClientStatus: "unknown", ModifyIndex: index }]);
    const gone = await nomad.sleep(`${path}&index=${index}&${LONG}`);
    cluster.purgeJob(row?.namespace ?? "", row?.stub.JobID ?? "");
    expect((await gone.answer).text).toBe("[]");
  });

  it("of one page wakes on every write to the table, of jobs only on what the page shows", async () => {
    await using nomad = await simulatedNomad();
    const { cluster } = nomad.simulator;
    const ids = ["a", "b", "c"].flatMap((id) => cluster.runJob({ id }));
    const { index } = await nomad.ask("/v1/allocations?per_page=1");
    const allocations = await nomad.sleep(`/v1/allocations?per_page=1&namespace=*&index=${index}&${LONG}`);
    cluster.setAllocStatus(ids[2] ?? "", "unknown");
    expect((await allocations.answer).index).toBe(nomad.simulator.index);
    const jobs = await nomad.ask("/v1/jobs?per_page=1");
    const sleeper = await nomad.sleep(`/v1/jobs?per_page=1&index=${jobs.index}&${LONG}`);
    cluster.setAllocStatus(ids[2] ?? "", "running");
    expect(nomad.simulator.sleepers).toBe(1);
    cluster.setAllocStatus(ids[0] ?? "", "unknown");
    expect((await sleeper.answer).index).toBe(nomad.simulator.index);
  });

  it("of one object waits for it, present or absent", async () => {
    await using nomad = await simulatedNomad();
    const { cluster } = nomad.simulator;
    const absent = await nomad.ask("/v1/namespace/qa");
    expect([absent.status, absent.text]).toEqual([404, "Namespace not found"]);
    const { answer } = await nomad.sleep(`/v1/namespace/qa?index=${absent.index}&${LONG}`);
    cluster.createNamespace("qa", { description: "x" });
    expect(JSON.parse((await answer).text)).toMatchObject({ Name: "qa", Description: "x" });
    cluster.runJob({ id: "cron/periodic-1", type: "batch" });
    const job = await nomad.ask("/v1/job/cron%2Fperiodic-1");
    expect(JSON.parse(job.text)).toMatchObject({ ID: "cron/periodic-1", Version: 0 });
    expect(job.index).toBe(JSON.parse(job.text).ModifyIndex);
  });

  it("waits its time and up to a sixteenth more", async () => {
    await using nomad = await simulatedNomad();
    const startedAt = performance.now();
    await nomad.ask(`/v1/jobs?index=1&wait=160ms`);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(155);
  });

  it("ends with the simulator", async () => {
    const nomad = await simulatedNomad();
    const { answer } = await nomad.sleep("/v1/jobs?index=1&wait=0s");
    await nomad.simulator.close();
    await expect(answer).rejects.toThrow(/socket hang up|ECONNRESET/);
  });
});

describe("closing", () => {
  it("leaves no query asleep, not even one woken at that moment", async () => {
    const nomad = await simulatedNomad();
    const { simulator } = nomad;
    await nomad.sleep("/v1/jobs?namespace=qa&index=999&wait=60s");
    simulator.cluster.registerJob({ id: "web" });
    await simulator.close();
    while (simulator.connections.taken > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(simulator.sleepers).toBe(0);
  });
});

describe("pages", () => {
  it.each([
    ["jobs", "", /^[\w-]+\.[\w/-]+$/],
    ["jobs", "&prefix=b", /^[\w-]+\.b[\w/-]+$/],
    ["nodes", "", /^[\da-f-]{36}$/],
    ["allocations", "", /^\d+\.[\da-f-]{36}$/],
    ["evaluations", "&namespace=default", /^\d+\.[\da-f-]{36}$/],
    ["deployments", "&prefix=", /^\d+\.[\da-f-]{36}$/],
    ["allocations", "&prefix=0000", /^[\da-f-]{36}$/],
  ])("of %s%s together are the whole list", async (list, query, token) => {
    await using nomad = await simulatedNomad({ allocations: 150, namespaces: 3 });
    const path = `/v1/${list}?namespace=*${query}`;
    const whole = JSON.parse((await nomad.ask(path)).text);
    const pages: unknown[] = [];
    const tokens: string[] = [];
    let next = "";
    do {
      const page = await nomad.ask(`${path}&per_page=7&next_token=${encodeURIComponent(next)}`);
      const rows = JSON.parse(page.text);
      next = String(page.headers["x-nomad-nexttoken"] ?? "");
      if (next !== "") tokens.push(next);
      pages.push(...rows);
    } while (next !== "");
    expect(pages).toEqual(whole);
    expect(tokens).toHaveLength(Math.max(0, Math.ceil(whole.length / 7) - 1));
    expect(tokens.filter((text) => !token.test(text))).toEqual([]);
  });
});

describe("answers", () => {
  it.each([
    ["/v1/jobs?index=-1", 400, "Invalid index"],
    ["/v1/jobs?index=18446744073709551616", 400, "Invalid index"],
    ["/v1/jobs?index=1&wait=5", 400, "Invalid wait time"],
    ["/v1/jobs?stale=maybe", 400, "Expect `true` or `false` for `stale` query string parameter"],
    ["/v1/jobs?per_page=x", 400, "Expect a number for `per_page` query string parameter"],
    ["/v1/jobs?region=nope", 500, "No path to region"],
    ["/v1/quotas", 501, "Nomad Enterprise only endpoint"],
    ["/v1/sentinel/policies", 501, "Nomad Enterprise only endpoint"],
    ["/v1/nope", 404, ""],
    ["/v1/acl/policies", 400, "ACL support disabled"],
    [
      "/v1/allocations?prefix=abc",
      500,
      "alloc lookup failed: index error: Input (without hyphens) must be even length",
    ],
    ["/v1/deployments?prefix=abc", 500, "index error: Input (without hyphens) must be even length"],
    ["/v1/node/zz", 500, "node lookup failed: index error: UUID must be 36 characters"],
  ])("%s is %i %j without an index", async (path, status, text) => {
    await using nomad = await simulatedNomad();
    const answer = await nomad.ask(path);
    expect([answer.status, answer.text]).toEqual([status, text]);
    expect(answer.headers["x-nomad-index"]).toBeUndefined();
  });

  it("refuses other methods, HEAD too", async () => {
    await using nomad = await simulatedNomad();
    expect(await nomad.ask("/v1/jobs", {}, "PATCH")).toMatchObject({ status: 405, text: "Invalid method" });
    const head = await nomad.ask("/v1/jobs", {}, "HEAD");
    expect([head.status, head.headers["content-length"]]).toEqual([405, "14"]);
  });

  it("spells its headers as Nomad does", async () => {
    await using nomad = await simulatedNomad();
    const response = await fetch(`${nomad.url}/v1/jobs`);
    expect(response.headers.get("x-nomad-knownleader")).toBe("true");
    const { headers } = await nomad.ask("/v1/jobs", { connection: "keep-alive" });
    expect(Object.keys(headers)).toEqual([
      "content-type",
      "vary",
      "x-nomad-index",
      "x-nomad-knownleader",
      "x-nomad-lastcontact",
      "content-length",
      "date",
    ]);
  });

  it("packs with gzip only when asked", async () => {
    await using nomad = await simulatedNomad({ allocations: 50 });
    const plain = await nomad.ask("/v1/allocations?namespace=*");
    expect(plain.headers["content-encoding"]).toBeUndefined();
    const packed = await nomad.ask("/v1/allocations?namespace=*", { "accept-encoding": "gzip" });
    expect(packed.headers["content-encoding"]).toBe("gzip");
    expect(packed.raw.length).toBeLessThan(plain.raw.length / 3);
  });

  it("keeps a list's order and shuffles maps of several keys", async () => {
    await using nomad = await simulatedNomad({ allocations: 60 });
    const answers = await Promise.all(Array.from({ length: 6 }, () => nomad.ask("/v1/nodes")));
    const texts = new Set(answers.map(({ text }) => text));
    expect(texts.size).toBeGreaterThan(1);
    const [first, ...rest] = answers.map(({ text }) => JSON.parse(text));
    for (const other of rest) expect(other).toEqual(first);
    const list = JSON.parse((await nomad.ask("/v1/allocations?namespace=*")).text);
    const ages = list.map(
      ({ CreateIndex, ID }: { CreateIndex: number; ID: string }) => `${String(CreateIndex).padStart(9)}${ID}`,
    );
    expect(ages).toEqual(ages.toSorted());
  });

  it("tell the truth also where a list is so long that unchanged pages are sent as last time", async () => {
    await using nomad = await simulatedNomad({ allocations: 1500, nodes: 3 });
    const { simulator } = nomad;
    for (let round = 0; round < 4; round += 1) {
      const listed: { ID: string }[] = JSON.parse((await nomad.ask("/v1/allocations?namespace=*")).text);
      const rows = [...simulator.cluster.state.tables.allocations.values()];
      expect(listed).toEqual(rows.map((row) => JSON.parse(row.text)));
      simulator.churn(100);
    }
  });

  it("collects garbage on PUT", async () => {
    await using nomad = await simulatedNomad();
    const [id = ""] = nomad.simulator.cluster.runJob({ id: "batch", type: "batch" });
    nomad.simulator.cluster.completeAllocation(id);
    expect(await nomad.ask("/v1/system/gc", {}, "PUT")).toMatchObject({ status: 200, text: "" });
    for (const list of ["jobs", "allocations", "evaluations"])
      expect((await nomad.ask(`/v1/${list}`)).text).toBe("[]");
  });

  it("tells of itself", async () => {
    await using nomad = await simulatedNomad();
    expect((await nomad.ask("/v1/status/leader")).text).toMatch(/^"[\d.]+:4647"$/);
    expect((await nomad.ask("/v1/regions")).text).toBe('["global"]');
    expect(JSON.parse((await nomad.ask("/v1/agent/self")).text).config.Version.Version).toBe("2.0.5");
    expect(JSON.parse((await nomad.ask("/v1/agent/members")).text).Members[0].Tags.build).toBe("2.0.5");
    expect(JSON.parse((await nomad.ask("/v1/acl/token/self")).text).AccessorID).toBe("acls-disabled");
  });
});

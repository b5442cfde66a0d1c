import { describe, expect, it } from "vitest";
import { parseFrame } from "../../src/pollers/hints/frame.ts";
import { updatedAllocation } from "../../src/pollers/hints/updated-allocation.ts";
import { parseExact, type JsonObject } from "../../src/schemas/json.ts";
import { ALL, ended, indexesOf, openEventLines, told, topicsOf } from "../support/event-lines.ts";
import { simulatedNomad } from "../support/simulated-nomad.ts";
import { until } from "../support/until.ts";

describe("the event stream's wire", () => {
  it("takes the connection, says 200 without gzip, and sends {} at once and again and again", async () => {
    await using nomad = await simulatedNomad({ heartbeatMs: 5 });
    await using stream = await openEventLines(nomad.url);
    expect(stream.head).toBe(
      "HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: no-cache\r\n" +
        "Content-Type: application/json\r\nVary: Accept-Encoding\r\n\r\n",
    );
    await until("three heartbeats", () => stream.lines.length >= 3);
    expect(new Set(stream.lines)).toEqual(new Set(["{}"]));
  });

  it("writes frames as Nomad does, fields sorted", async () => {
    await using nomad = await simulatedNomad();
    await using stream = await openEventLines(nomad.url, ALL);
    nomad.simulator.cluster.registerJob({ id: "web" });
    await stream.framesOf(2);
    const [, job = "", evaluation = ""] = stream.lines;
    const { index } = nomad.simulator;
    expect(job).toMatch(
      new RegExp(
        `^{"Events":\\[{"FilterKeys":null,"Index":${index},"Key":"web","Namespace":"default","Payload":{"Job":{`,
      ),
    );
    expect(job).toMatch(new RegExp(`}},"Topic":"Job","Type":"JobRegistered"}\\],"Index":${index}}$`));
    expect(evaluation).toContain(`{"FilterKeys":["web",""],"Index":${index}`);
  });

  it("gives its connection slot back while it is open", async () => {
    await using nomad = await simulatedNomad({ connectionLimit: 1 });
    await using stream = await openEventLines(nomad.url);
    await until("the first line", () => stream.lines.length > 0);
    expect(nomad.simulator.connections.taken).toBe(0);
    expect((await nomad.ask("/v1/jobs")).status).toBe(200);
  });

  it.each([
    ["index=x", 400, 'Unable to parse index: strconv.Atoi: parsing "x": invalid syntax'],
    [
      "topic=a:b:c",
      400,
      "Invalid topic query: error parsing topics: Invalid key value pair for topic, topic: a:b:c",
    ],
  ])("refuses %s", async (query, status, text) => {
    await using nomad = await simulatedNomad();
    expect(await nomad.ask(`/v1/event/stream?${query}`)).toMatchObject({ status, text });
  });

  it("knows GET alone", async () => {
    await using nomad = await simulatedNomad();
    expect(await nomad.ask("/v1/event/stream", {}, "POST")).toMatchObject({
      status: 405,
      text: "Invalid method",
    });
  });

  it("ends with the simulator, and forgets a client that left", async () => {
    const nomad = await simulatedNomad();
    const leaving = await openEventLines(nomad.url);
    await using stream = await openEventLines(nomad.url);
    await until("both", () => nomad.simulator.subscriptions === 2);
    await leaving[Symbol.asyncDispose]();
    await until("one", () => nomad.simulator.subscriptions === 1);
    await nomad.simulator.close();
    await ended(stream);
  });
});

describe("what the event stream tells", () => {
  it("tells of a job's life, with two frames of one index where Nomad commits twice", async () => {
    await using nomad = await simulatedNomad();
    const { cluster } = nomad.simulator;
    cluster.registerNode();
    await using stream = await openEventLines(nomad.url, ALL);
    const [id = ""] = cluster.runJob({ id: "web" });
    cluster.purgeJob("default", "web");
    const frames = await stream.framesOf(8);
    expect(topicsOf(frames)).toEqual([
      ["Node"],
      ["Job"],
      ["Evaluation"],
      ["Allocation", "Deployment"],
      ["Allocation", "Job", "Node"],
      ["Evaluation"],
      ["Job"],
      ["Evaluation"],
    ]);
    expect(frames.map(({ Events }) => Events[0]?.Type)).toEqual([
      "NodeRegistration",
      "JobRegistered",
      "JobRegistered",
      "PlanResult",
      "AllocationUpdated",
      "EvaluationUpdated",
      "JobDeregistered",
      "JobDeregistered",
    ]);
    expect(frames[1]?.Index).toBe(frames[2]?.Index);
    expect(frames[6]?.Events[0]?.Payload).toMatchObject({ Deleted: true, Job: { ID: "web" } });
    const allocation = frames[3]?.Events.find(({ Topic }) => Topic === "Allocation");
    expect(allocation).toMatchObject({
      Key: id,
      FilterKeys: ["web", expect.stringMatching(/^[\da-f-]{36}$/)],
    });
    expect(Object.keys(allocation?.Payload["Allocation"] ?? {})).not.toContain("Job");
  });

  it("tells deployments and evaluations as the list has them, and other objects otherwise", async () => {
    await using nomad = await simulatedNomad({ allocations: 40 });
    await using stream = await openEventLines(nomad.url, ALL);
    await until("the first line", () => stream.lines.length > 0);
    const newest = new Map<string, unknown>();
    for (let step = 0; step < 150; step += 1) {
      nomad.simulator.churn(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(
      "the last frame",
      () => stream.frames.at(-1)?.Index === nomad.simulator.index || stream.ended,
    );
    for (const { Events } of stream.frames) {
      for (const { Topic, Key, Payload } of Events) newest.set(`${Topic} ${Key}`, Payload[Topic]);
    }
    for (const [list, topic] of [
      ["deployments", "Deployment"],
      ["evaluations", "Evaluation"],
    ]) {
      const listed: { ID: string }[] = JSON.parse((await nomad.ask(`/v1/${list}?namespace=*`)).text);
      const both = listed.filter(({ ID }) => newest.has(`${topic} ${ID}`));
      expect(both.length).toBeGreaterThan(5);
      for (const element of both) expect(newest.get(`${topic} ${element.ID}`)).toEqual(element);
    }
  });

  it("tells of a client's word what makes the list's stub of an older one, and of the scheduler's not", async () => {
    await using nomad = await simulatedNomad();
    await using stream = await openEventLines(nomad.url, ALL);
    const { cluster } = nomad.simulator;
    const [id = ""] = cluster.runJob({ id: "web", groups: [{ name: "web", count: 1, tasks: ["main"] }] });
    const listed = async () => {
      const [stub] = parseExact((await nomad.ask(`/v1/allocations?prefix=${id}`)).text) as JsonObject[];
      return stub ?? {};
    };
    const updateAt = (index: number) =>
      until(`the event of ${index}`, () =>
        stream.lines
          .map((line) => parseFrame(Buffer.from(line)))
          .find((frame) => frame?.index === BigInt(index))
          ?.hints.find(({ key }) => key === id),
      );
    const before = await listed();
    cluster.restartTask(id, { exitCode: 137, signal: 9, oomKilled: true });
    const { update } = await updateAt(nomad.simulator.index);
    const made = update && updatedAllocation(before, update);
    expect(made && parseExact(made.toString())).toEqual(await listed());
    cluster.stopAllocation(id);
    expect((await updateAt(nomad.simulator.index)).update).toBeUndefined();
  });

  it("says nothing of what Nomad says nothing of", async () => {
    await using nomad = await simulatedNomad();
    const { cluster } = nomad.simulator;
    const node = cluster.registerNode();
    const [id = ""] = cluster.runJob({ id: "batch", type: "batch" });
    cluster.completeAllocation(id);
    cluster.setNodeStatus(node, "down");
    const evaluation = cluster.createEvaluation("default", "batch");
    await using stream = await openEventLines(nomad.url, `${ALL}&index=${nomad.simulator.index}`);
    cluster.createNamespace("qa");
    cluster.deleteNamespace("qa");
    cluster.tagJobVersion("default", "batch");
    cluster.touchJob("default", "batch");
    cluster.deleteEvaluations([evaluation]);
    cluster.gc();
    cluster.registerJob({ id: "last" });
    const frames = await stream.framesOf(4);
    expect(told(frames).slice(0, 3)).toEqual([
      [`Evaluation EvaluationUpdated ${evaluation}`],
      ["Job JobBatchDeregistered batch"],
      ["Job JobRegistered last"],
    ]);
    expect((await nomad.ask("/v1/nodes")).text).toBe("[]");
  });

  it("says of a summary nothing but the allocation's and the node's events", async () => {
    await using nomad = await simulatedNomad();
    const { cluster } = nomad.simulator;
    const [id = ""] = cluster.runJob({ id: "web" });
    await using stream = await openEventLines(nomad.url, `${ALL}&index=999999`);
    await stream.framesOf(1);
    cluster.setAllocStatus(id, "unknown");
    cluster.addNodeEvent(JSON.parse((await nomad.ask("/v1/nodes")).text)[0].ID);
    const frames = await stream.framesOf(3);
    expect(topicsOf(frames.slice(1))).toEqual([["Allocation", "Node"], ["Node"]]);
  });
});

describe("where an event stream begins", () => {
  it("begins at the oldest frame without an index, at the frame itself with its index", async () => {
    await using nomad = await simulatedNomad();
    const { cluster } = nomad.simulator;
    for (const id of ["a", "b", "c"]) cluster.registerJob({ id });
    const { index } = nomad.simulator;
    await using oldest = await openEventLines(nomad.url, "topic=Job");
    expect(indexesOf(await oldest.framesOf(3))).toEqual([index - 2, index - 1, index]);
    await using zero = await openEventLines(nomad.url, "topic=Job&index=0");
    expect(indexesOf(await zero.framesOf(3))).toEqual([index - 2, index - 1, index]);
    await using at = await openEventLines(nomad.url, `${ALL}&index=${index - 1}`);
    expect(indexesOf(await at.framesOf(4))).toEqual([index - 1, index - 1, index, index]);
  });

  it("repeats the last frame where the index is beyond it", async () => {
    await using nomad = await simulatedNomad();
    nomad.simulator.cluster.registerJob({ id: "a" });
    const { index } = nomad.simulator;
    await using stream = await openEventLines(nomad.url, `${ALL}&index=${index + 50}`);
    expect(topicsOf(await stream.framesOf(1))).toEqual([["Evaluation"]]);
    expect(indexesOf(stream.frames)).toEqual([index]);
  });

  it("begins later without a word where the index has left the buffer, which holds one frame more than its size", async () => {
    await using nomad = await simulatedNomad({ eventBufferSize: 5 });
    const { cluster } = nomad.simulator;
    const node = cluster.registerNode();
    const first = nomad.simulator.index;
    for (let event = 0; event < 8; event += 1) cluster.addNodeEvent(node);
    await using stream = await openEventLines(nomad.url, `${ALL}&index=${first}`);
    const { index } = nomad.simulator;
    expect(indexesOf(await stream.framesOf(6))).toEqual([5, 4, 3, 2, 1, 0].map((age) => index - age));
  });

  it("forgets its frames with the server and with a restored snapshot, and ends", async () => {
    await using nomad = await simulatedNomad();
    const { simulator } = nomad;
    const snapshot = simulator.snapshot();
    for (const lose of [() => simulator.faults.forgetEvents(), () => simulator.restore(snapshot)]) {
      simulator.cluster.registerJob({ id: "a" });
      await using stream = await openEventLines(nomad.url, ALL);
      await stream.framesOf(2);
      lose();
      await ended(stream);
      await using again = await openEventLines(nomad.url, ALL);
      simulator.cluster.registerNode();
      expect(topicsOf(await again.framesOf(1))).toEqual([["Node"]]);
    }
  });

  it("renders a frame anew for each reader, its maps in another order", async () => {
    await using nomad = await simulatedNomad();
    nomad.simulator.cluster.registerNode();
    const lines = new Set<string>();
    for (let reader = 0; reader < 5; reader += 1) {
      await using stream = await openEventLines(nomad.url, ALL);
      await stream.framesOf(1);
      lines.add(stream.lines[1] ?? "");
    }
    expect(lines.size).toBeGreaterThan(1);
    expect(new Set([...lines].map((line) => JSON.stringify(JSON.parse(line), sortedKeys)))).toHaveLength(1);
  });
});

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

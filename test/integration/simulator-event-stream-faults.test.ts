import { describe, expect, it } from "vitest";
import { STREAM_FAULT_KINDS } from "../../packages/nomad-simulator/src/index.ts";
import { ALL, ended, indexesOf, openEventLines } from "../support/event-lines.ts";
import { simulatedNomad } from "../support/simulated-nomad.ts";
import { until } from "../support/until.ts";

describe("the event stream and the store", () => {
  it("drops a reader that falls behind by more than the buffer", async () => {
    await using nomad = await simulatedNomad({ eventBufferSize: 2 });
    const { cluster } = nomad.simulator;
    cluster.runJob({ id: "web" });
    const [{ ID }] = JSON.parse((await nomad.ask("/v1/deployments")).text);
    await using stream = await openEventLines(nomad.url, "topic=Deployment");
    await stream.framesOf(1);
    stream.pause();
    // More than a socket's buffers take.
    for (let megabytes = 0; megabytes < 20; megabytes += 1) {
      cluster.updateDeployment(ID, { StatusDescription: "x".repeat(1e6) });
      await new Promise((resolve) => setImmediate(resolve));
    }
    stream.resume();
    await ended(stream);
    expect(stream.frames.at(-1)?.Index).toBeLessThan(nomad.simulator.index);
  });

  it("may tell of a write before answers show it, except to who waits for its index", async () => {
    await using nomad = await simulatedNomad();
    const { cluster, faults } = nomad.simulator;
    cluster.registerNode();
    const { index } = await nomad.ask("/v1/nodes");
    faults.delayReads(60_000);
    await using stream = await openEventLines(nomad.url, `topic=Node&index=${index + 1}`);
    cluster.registerNode();
    const [, frame] = await stream.framesOf(2);
    expect((await nomad.ask("/v1/nodes")).index).toBe(index);
    const { answer } = await nomad.sleep(`/v1/nodes?index=${index}&wait=20s`);
    faults.delayReads(undefined);
    expect((await answer).index).toBe(frame?.Index);
    faults.delayReads(1);
    cluster.registerNode();
    expect((await nomad.ask(`/v1/nodes?index=${index + 1}&wait=20s`)).index).toBe(nomad.simulator.index);
  });

  it("shows what was written last once answers are late no more, also when what was late would be due", async () => {
    await using nomad = await simulatedNomad();
    const { cluster, faults } = nomad.simulator;
    const described = () =>
      JSON.parse(nomad.simulator.state().get("namespaces")?.get("-/default") ?? "{}").Description;
    faults.delayReads(5);
    const due = new Promise((resolve) => setTimeout(resolve, 20));
    cluster.updateNamespace("default", { description: "late" });
    faults.delayReads(undefined);
    cluster.updateNamespace("default", { description: "last" });
    await due;
    expect(described()).toBe("last");
  });

  it("is the lagging follower's own, and goes on when it catches up", async () => {
    await using nomad = await simulatedNomad();
    const { cluster, faults } = nomad.simulator;
    cluster.registerNode();
    faults.lagFollower(1000);
    await using stream = await openEventLines(nomad.url, ALL);
    await stream.framesOf(1);
    cluster.registerNode();
    await using behind = await openEventLines(nomad.url, `${ALL}&index=${nomad.simulator.index}`);
    expect((await behind.framesOf(1))[0]?.Index).toBeLessThan(nomad.simulator.index);
    expect(stream.frames).toHaveLength(1);
    faults.catchUp();
    expect(indexesOf(await stream.framesOf(2)).at(-1)).toBe(nomad.simulator.index);
  });
});

describe("faults of the event stream", () => {
  it.each<[(typeof STREAM_FAULT_KINDS)[number], readonly string[], { ends: boolean }]>([
    ["frame-lost", ["b", "c"], { ends: false }],
    ["frame-twice", ["a", "a", "b", "c"], { ends: false }],
    ["frames-swapped", ["b", "a", "c"], { ends: false }],
    ["stream-stalled", ["a", "b", "c"], { ends: false }],
    ["stream-closed", [], { ends: true }],
    ["stream-denied", [], { ends: true }],
    ["buffer-emptied", [], { ends: true }],
  ])("%s", async (kind, ids, { ends }) => {
    await using nomad = await simulatedNomad();
    const { cluster, faults } = nomad.simulator;
    await using stream = await openEventLines(nomad.url, "topic=Job");
    const handle = faults.add({ kind, times: 1, delayMs: 30 });
    for (const id of ["a", "b", "c"]) cluster.registerJob({ id });
    await until("what is to come", () => (ends ? stream.ended : stream.frames.length === ids.length));
    expect(stream.frames.map(({ Events }) => Events[0]?.Key)).toEqual(ids);
    expect(handle.hits).toBe(1);
  });

  it("denies the next subscription once, or remembers nothing", async () => {
    await using nomad = await simulatedNomad();
    const { cluster, faults } = nomad.simulator;
    cluster.registerNode();
    for (const [kind, frames] of [
      ["stream-denied", 1],
      ["buffer-emptied", 0],
    ] as const) {
      faults.add({ kind, times: 1 });
      await using struck = await openEventLines(nomad.url, ALL);
      await ended(struck);
      await using denied = await openEventLines(nomad.url, ALL);
      await until("an end or a line", () => denied.ended || denied.lines.length > 0);
      expect([kind, denied.ended]).toEqual([kind, kind === "stream-denied"]);
      await using next = await openEventLines(nomad.url, ALL);
      await until("the first line", () => next.lines.length > 0);
      await next.framesOf(frames);
      expect(next.frames).toHaveLength(frames);
    }
  });

  it("resets, refuses and ends streams as it does answers", async () => {
    await using nomad = await simulatedNomad();
    const { faults } = nomad.simulator;
    faults.add({ kind: "500", times: 1, resource: "event" });
    expect((await nomad.ask("/v1/event/stream")).status).toBe(500);
    faults.add({ kind: "eof", times: 1, resource: "event" });
    expect(await nomad.ask("/v1/event/stream")).toMatchObject({ status: 200, text: "" });
    faults.add({ kind: "reset-blocked", times: 1, resource: "event" });
    await expect(nomad.ask("/v1/event/stream")).rejects.toThrow(/aborted|ECONNRESET/);
    expect(STREAM_FAULT_KINDS).toContain("frame-lost");
  });
});

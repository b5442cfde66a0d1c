import { describe, expect, it } from "vitest";
import { ended, openEventLines, topicsOf } from "../support/event-lines.ts";
import { simulatedNomad } from "../support/simulated-nomad.ts";
import { until } from "../support/until.ts";

describe("topics, keys and namespaces", () => {
  it.each([
    ["topic=Job:web", [["Job"], ["Job"]]],
    ["topic=Evaluation:web", [["Evaluation"], ["Evaluation"]]],
    ["topic=Job:*&topic=Job:web", [["Job"], ["Job"]]],
    ["topic=Job:*&topic=Job:other", []],
    ["topic=Deployment&topic=Node", [["Deployment"], ["Node"]]],
    ["topic=*&namespace=qa", [["Node"]]],
  ])("%s", async (query, topics) => {
    await using nomad = await simulatedNomad();
    const { cluster } = nomad.simulator;
    const node = cluster.registerNode();
    await using stream = await openEventLines(nomad.url, `${query}&index=${nomad.simulator.index + 1}`);
    await until("the subscription", () => nomad.simulator.subscriptions === 1);
    cluster.runJob({ id: "web" });
    cluster.registerJob({ id: "unrelated", namespace: "team" });
    const heard = async (): Promise<string[][]> =>
      topicsOf(
        stream.frames.filter(
          ({ Events }) => Events[0]?.Key !== node || Events[0].Type === "AllocationUpdated",
        ),
      );
    await until(`${topics.length} frames`, async () => (await heard()).length >= topics.length);
    await nomad.ask("/v1/jobs");
    expect(await heard()).toEqual(topics);
  });

  it("tells twice what two keys match", async () => {
    await using nomad = await simulatedNomad();
    const { cluster } = nomad.simulator;
    cluster.registerJob({ id: "web" });
    const [{ ID }] = JSON.parse((await nomad.ask("/v1/evaluations")).text);
    await using stream = await openEventLines(nomad.url, `topic=Evaluation:web&topic=Evaluation:${ID}`);
    expect(topicsOf(await stream.framesOf(1))).toEqual([["Evaluation", "Evaluation"]]);
  });

  it("with * takes the namespaces there are when it begins, and no later one", async () => {
    await using nomad = await simulatedNomad();
    const { cluster } = nomad.simulator;
    cluster.createNamespace("qa");
    await using stream = await openEventLines(nomad.url, "topic=Job&namespace=*");
    cluster.createNamespace("late");
    for (const namespace of ["late", "qa"]) cluster.registerJob({ id: "web", namespace });
    expect((await stream.framesOf(1)).map(({ Events }) => Events[0]?.Namespace)).toEqual(["qa"]);
  });
});

describe("rights to the event stream", () => {
  const guarded = async (hijacks = true) => {
    const nomad = await simulatedNomad({ acl: true, hijacks });
    nomad.simulator.cluster.createNamespace("qa");
    nomad.simulator.acl.setPolicy("jobs", { namespaces: { default: "read" } });
    const { secretId } = nomad.simulator.acl.createToken({ policies: ["jobs"] });
    return { nomad, secretId };
  };

  it.each(["topic=Job&namespace=*", "topic=Job&namespace=qa", "topic=Node", "topic=*", "topic=NodePool", ""])(
    "are looked at after the 200: %j ends before its first line",
    async (query) => {
      const { nomad, secretId } = await guarded();
      await using _ = nomad;
      await using stream = await openEventLines(nomad.url, query, secretId);
      await ended(stream);
      expect([stream.head.slice(0, 15), stream.lines]).toEqual(["HTTP/1.1 200 OK", []]);
    },
  );

  it("suffice in the token's own namespace, until they are taken away", async () => {
    const { nomad, secretId } = await guarded();
    await using _ = nomad;
    await using stream = await openEventLines(nomad.url, "topic=Job&topic=Allocation", secretId);
    nomad.simulator.cluster.registerJob({ id: "web" });
    await stream.framesOf(1);
    expect(stream.ended).toBe(false);
    nomad.simulator.faults.narrowToken(secretId, { namespaces: { qa: "read" } });
    await ended(stream);
  });

  it("end with the token, deleted or expired", async () => {
    let nowMs = 1_795_432_399_000;
    await using nomad = await simulatedNomad({ acl: true, clock: () => nowMs });
    const { acl, cluster } = nomad.simulator;
    const deleted = acl.createToken({ type: "management" });
    const expiring = acl.createToken({ type: "management", expiresAt: nowMs + 1000 });
    await using first = await openEventLines(nomad.url, "topic=Node", deleted.secretId);
    await using second = await openEventLines(nomad.url, "topic=Node", expiring.secretId);
    await until("both", () => nomad.simulator.subscriptions === 2);
    acl.deleteToken(deleted.secretId);
    await ended(first);
    nowMs += 2000;
    cluster.registerNode();
    await ended(second);
    expect(second.frames).toEqual([]);
  });

  it("before 1.11.2 are a 403, and a stream that ends says why", async () => {
    const { nomad, secretId } = await guarded(false);
    await using _ = nomad;
    const headers = { "x-nomad-token": secretId };
    expect(await nomad.ask("/v1/event/stream", headers)).toMatchObject({
      status: 403,
      text: "Permission denied",
    });
    await using stream = await openEventLines(nomad.url, "topic=Job", secretId);
    await until("the subscription", () => nomad.simulator.subscriptions === 1);
    nomad.simulator.acl.deleteToken(secretId);
    await until("the reason", () =>
      stream.lines.join("").includes("subscription closed by server, client should resubscribe"),
    );
  });
});

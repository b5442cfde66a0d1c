import { beforeEach, describe, expect, it } from "vitest";
import { job, namespace, supervisorBed } from "../support/supervisor-bed.ts";
import { until } from "../support/until.ts";

describe("the supervisor where objects outlive their namespace", () => {
  const bed = supervisorBed();
  const { start, stop, watched, watching, events } = bed;

  /** Nomad lists these jobs, whether their namespaces exist or not. */
  const jobs = (index: number, ...all: ReturnType<typeof job>[]) => {
    bed.nomad.set("jobs/*", index, all);
    for (const space of ["default", "ghost", "ghoul"]) {
      const own = all.filter((each) => each.Namespace === space);
      bed.nomad.set(`jobs/${space}`, index, own);
    }
  };
  const web = job("web", "default", 5);
  const told = async () =>
    (await events())
      .filter((event) => event.op !== null && event.subject.startsWith("jobs/"))
      .map((event) => `${event.op} ${event.subject.slice("jobs/".length)}`);
  const toldAll = (...lines: string[]) =>
    until(lines.join(", "), async () => {
      const now = await told();
      return lines.every((line) => now.includes(line));
    });

  beforeEach(() => {
    bed.nomad.absent.add("ghost").add("ghoul");
    jobs(10, web);
  });

  it("tells what a namespace left that came and went while nobody looked, once and to its end", async () => {
    start();
    await watching("jobs/default", "namespaces/-");
    await stop();
    bed.nomad.set("namespaces/-", 40, [namespace("default", 1)]);
    jobs(39, web, job("batch", "ghost", 32));
    start();
    await toldAll("create ghost/batch");
    jobs(50, web, { ...job("batch", "ghost", 32), ModifyIndex: 50 });
    await toldAll("update ghost/batch");
    jobs(60, web);
    await toldAll("delete ghost/batch");
    await watching("jobs/default", "namespaces/-");
    expect(await told()).toEqual(["create ghost/batch", "update ghost/batch", "delete ghost/batch"]);
    expect((await events()).map((event) => event.type)).not.toContain("nomad.feed.resync");
  });

  it("tells what a namespace left that came and went between two polls", async () => {
    start();
    await watching("jobs/default", "namespaces/-");
    jobs(21, web, job("batch", "ghost", 20));
    bed.nomad.set("namespaces/-", 22, [namespace("default", 1)]);
    await toldAll("create ghost/batch");
    expect(await told()).toHaveLength(1);
  });

  it("keeps what it found in the plan until it was read, however long that takes", async () => {
    bed.longestSleepMs = 20;
    start();
    await watching("jobs/default", "namespaces/-");
    bed.nomad.hang("jobs/ghost");
    jobs(21, web, job("batch", "ghost", 20));
    bed.nomad.set("namespaces/-", 22, [namespace("default", 1)]);
    await until("it is claimed", async () =>
      (await bed.log.scopes()).some(({ scope }) => scope.namespace === "ghost"),
    );
    const planned = bed.log.plans;
    await until("it was planned several times more", () => bed.log.plans > planned + 5);
    expect(watched()).toContain("jobs/ghost");
    bed.nomad.answer("jobs/ghost");
    await toldAll("create ghost/batch");
  });

  it("takes what was there when the feed began for its baseline", async () => {
    jobs(10, web, job("old", "ghost", 7));
    start();
    await watching("jobs/default", "jobs/ghost", "namespaces/-");
    jobs(30, web, { ...job("old", "ghost", 7), ModifyIndex: 30 }, job("new", "ghoul", 29));
    bed.nomad.set("namespaces/-", 31, [namespace("default", 1)]);
    await toldAll("update ghost/old", "create ghoul/new");
    expect(await told()).toHaveLength(2);
  });

  it("finds it now and then where the list of namespaces says nothing", async () => {
    bed.longestSleepMs = 20;
    start();
    await watching("jobs/default", "namespaces/-");
    await until("the first scan", () => bed.nomad.requests.some((request) => request.namespace === "*"));
    jobs(21, web, job("batch", "ghost", 20));
    bed.skewMs = 5 * 60_000 + 1_000;
    await toldAll("create ghost/batch");
  });

  it("goes on where Nomad does not tell which namespaces there are", async () => {
    bed.longestSleepMs = 20;
    start();
    await watching("jobs/default", "namespaces/-");
    await stop();
    bed.nomad.hang("namespaces/-");
    jobs(21, web, job("batch", "ghost", 20));
    const asked = bed.nomad.requests.length;
    start();
    await until("the list of namespaces is asked for", () => bed.nomad.requests.length > asked);
    bed.skewMs = 61_000;
    await toldAll("create ghost/batch");
  });

  it("tells the end of what it saw under * and nobody watches after", async () => {
    bed.nomad.set("namespaces/-", 10, [namespace("default", 1), namespace("ghoul", 2), namespace("qa", 3)]);
    start({ maxScopes: 3 });
    await watching("jobs/*", "namespaces/-");
    jobs(20, web, job("seen", "ghost", 20));
    await toldAll("create ghost/seen");
    await stop();
    jobs(30, web);
    bed.nomad.absent.add("qa");
    bed.nomad.set("namespaces/-", 30, [namespace("default", 1)]);
    start();
    await toldAll("delete ghost/seen");
    await watching("jobs/default", "namespaces/-");
    expect(await told()).toEqual(["create ghost/seen", "delete ghost/seen"]);
  });

  it("folds into * where they are more than connections", async () => {
    bed.longestSleepMs = 20;
    start({ maxScopes: 3 });
    await watching("jobs/default", "namespaces/-");
    jobs(30, web, job("a", "ghost", 21), job("b", "ghoul", 22));
    bed.nomad.set("namespaces/-", 31, [namespace("default", 1)]);
    await toldAll("create ghost/a", "create ghoul/b");
    await watching("jobs/*", "namespaces/-");
    jobs(40, web);
    await toldAll("delete ghost/a", "delete ghoul/b");
    await watching("jobs/default", "namespaces/-");
    expect(await told()).toHaveLength(4);
  });

  it("goes on with a namespace that is created again with leftovers of the former one", async () => {
    start();
    await watching("jobs/default", "namespaces/-");
    jobs(21, web, job("batch", "ghost", 20));
    bed.nomad.set("namespaces/-", 22, [namespace("default", 1)]);
    await toldAll("create ghost/batch");
    bed.nomad.absent.delete("ghost");
    bed.nomad.set("namespaces/-", 30, [namespace("default", 1), namespace("ghost", 30)]);
    jobs(31, web, job("batch", "ghost", 20), job("next", "ghost", 31));
    await toldAll("create ghost/next");
    jobs(40, web, job("next", "ghost", 31));
    await toldAll("delete ghost/batch");
    expect(await told()).toHaveLength(3);
    expect((await events()).map((event) => event.type)).not.toContain("nomad.feed.resync");
    expect(watched()).toEqual(["jobs/default", "jobs/ghost", "namespaces/-"]);
  });

  it("hears what happens in one that is created again: streams hear the namespaces there were when they began", async () => {
    bed.nomad.streams.allow();
    start({ reading: "hinted" });
    await watching("jobs/default", "namespaces/-");
    jobs(21, web, job("batch", "ghost", 20));
    bed.nomad.set("namespaces/-", 22, [namespace("default", 1)]);
    await toldAll("create ghost/batch");
    await until("the stream hears both", () => bed.nomad.streams.opened.length === 2);
    bed.nomad.absent.delete("ghost");
    bed.nomad.set("namespaces/-", 30, [namespace("default", 1), namespace("ghost", 30)]);
    await until("another stream is begun", () => bed.nomad.streams.opened.length === 3);
  });
});

import { describe, expect, it } from "vitest";
import { LogUnavailable } from "../../src/feed/errors.ts";
import type { Breakage } from "../support/breakable-log.ts";
import { job, namespace, supervisorBed } from "../support/supervisor-bed.ts";
import { until } from "../support/until.ts";

describe("the supervisor", () => {
  const bed = supervisorBed();
  const { start, watched, watching, events } = bed;

  it("follows namespaces as they come and go, and counts what is in a new one as news", async () => {
    start();
    await watching("jobs/default", "namespaces/-");
    bed.nomad.set("jobs/qa", 21, [job("early", "qa", 21)]);
    bed.nomad.set("namespaces/-", 20, [namespace("default", 1), namespace("qa", 20)]);
    await watching("jobs/default", "jobs/qa", "namespaces/-");
    const early = await until("the job", async () => (await events()).find((event) => event.key === "early"));
    expect(early.op).toBe("create");
    bed.nomad.absent.add("qa");
    bed.nomad.set("jobs/qa", 30, []);
    bed.nomad.set("namespaces/-", 30, [namespace("default", 1)]);
    await watching("jobs/default", "namespaces/-");
    expect((await events()).filter((event) => event.op === "delete").map((event) => event.key)).toEqual(
      expect.arrayContaining(["early", "qa"]),
    );
    expect(await bed.metrics.registry.metrics()).not.toContain('namespace="qa"');
  });

  it("takes a namespace that merely came to sight for old: a baseline, no flood of creates", async () => {
    bed.nomad.set("namespaces/-", 100, [namespace("default", 1)]);
    start();
    await watching("jobs/default", "namespaces/-");
    bed.nomad.set("jobs/qa", 90, [job("old", "qa", 50)]);
    bed.nomad.set("namespaces/-", 110, [namespace("default", 1), namespace("qa", 40)]);
    await watching("jobs/default", "jobs/qa", "namespaces/-");
    const seen = await events();
    expect(seen.map((event) => event.key)).not.toContain("old");
    expect(seen.map((event) => event.subject)).toContain("feed/jobs/qa");
  });

  it("goes on planning where the log fails for a moment", async () => {
    bed.log.failScopes = 2;
    start();
    await watching("jobs/default", "namespaces/-");
    await until("planned", () => bed.assignments.waitingForPlan().length === 0);
  });

  it("folds into * where namespaces are more than connections, without telling anything twice", async () => {
    start({ maxScopes: 3 });
    await watching("jobs/default", "namespaces/-");
    const all = ["default", "qa", "prod"];
    bed.nomad.set(
      "jobs/*",
      40,
      all.map((space, position) => job(`in-${space}`, space, 30 + position)).concat(job("web", "default", 5)),
    );
    bed.nomad.set(
      "namespaces/-",
      35,
      all.map((name, position) => namespace(name, position === 0 ? 1 : 30)),
    );
    await watching("jobs/*", "namespaces/-");
    const created = (await events()).filter(
      (event) => event.op === "create" && event.subject.startsWith("jobs/"),
    );
    expect(created.map((event) => event.key).toSorted()).toEqual(["in-default", "in-prod", "in-qa"]);
    bed.nomad.absent.add("qa").add("prod");
    const left = [job("in-default", "default", 30), job("web", "default", 5)];
    bed.nomad.set("jobs/default", 50, left);
    bed.nomad.set("jobs/*", 50, left);
    bed.nomad.set("namespaces/-", 50, [namespace("default", 1)]);
    await watching("jobs/default", "namespaces/-");
    const deleted = (await events()).filter((event) => event.op === "delete");
    expect(deleted.map((event) => event.key).toSorted()).toEqual(["in-prod", "in-qa", "prod", "qa"]);
    expect(new Set((await events()).map((event) => event.id)).size).toBe((await events()).length);
  });

  it("replaces a loop that stopped moving, and goes on", async () => {
    bed.longestSleepMs = 20;
    start();
    await watching("jobs/default", "namespaces/-");
    const asksAtOnce = () =>
      bed.nomad.requests.filter((request) => request.namespace === "default" && request.index === undefined)
        .length;
    expect(asksAtOnce()).toBe(1);
    bed.skewMs = bed.supervisor.stuckAfterMs + 1_000;
    await until("the new loop's first list", () => asksAtOnce() === 2);
    bed.nomad.set("jobs/default", 20, [job("web", "default", 5), job("late", "default", 15)]);
    await until("what came later", async () => (await events()).some((event) => event.key === "late"));
  });

  it("counts the scopes that are read by hints, and says how many there are where that changes", async () => {
    bed.longestSleepMs = 20;
    bed.nomad.streams.allow();
    start({ reading: "hinted" });
    await watching("jobs/default", "namespaces/-");
    const counted = async () => {
      const { values } = await bed.metrics.scopesByReading.get();
      return Object.fromEntries(values.map(({ labels, value }) => [labels.reading, value]));
    };
    const said = () => bed.lines.filter((line) => line.includes("read by the hints"));
    await until("both are counted", async () => {
      const { hinted, lists } = await counted();
      return hinted === 1 && lists === 1;
    });
    expect(said()).toEqual([]);
    bed.skewMs = 15_000;
    await until("it is said", () => said().length === 1);
    bed.nomad.streams.refuse(() => "NOMAD_NOT_FOUND");
    bed.nomad.streams.last.end();
    await until("all are read in lists", async () => (await counted())["hinted"] === 0);
    expect(await counted()).toEqual({ hinted: 0, lists: 2 });
    expect(said()).toHaveLength(1);
    bed.skewMs = 30_000;
    await until("it is said", () => bed.lines.some((line) => line.startsWith("no scope")));
    expect(said()).toEqual([
      "scopes read by the hints of Nomad's event stream: 1",
      "no scope is read by the hints of Nomad's event stream any more",
    ]);
  });

  it("leaves a scope to the process that took it over, and says that it is not ready", async () => {
    bed.longestSleepMs = 20;
    start();
    await watching("jobs/default", "namespaces/-");
    await bed.log.claim({ resource: "jobs", namespace: "default" }, "the other one");
    bed.nomad.set("jobs/default", 20, [job("web", "default", 15)]);
    await watching("namespaces/-");
    bed.nomad.set("namespaces/-", 30, [namespace("default", 1), namespace("qa", 30)]);
    await watching("jobs/qa", "namespaces/-");
    expect(bed.local.owed()).toEqual([{ assignment: "jobs/default", why: "another process took it over" }]);
    expect(await bed.local.statuses()).toContainEqual(
      expect.objectContaining({ assignment: "jobs/default", state: "fenced", worker: null }),
    );
    expect((await events()).map((event) => event.key)).not.toContain("web");
  });

  it("asks Nomad for no more lists while the log takes none of what was read, and goes on when it does", async () => {
    bed.nomad.set("namespaces/-", 10, [namespace("default", 1), namespace("qa", 2)]);
    bed.nomad.set("jobs/qa", 10, [job("calm", "qa", 5)]);
    start({ maxBacklogBytes: 100, checkpointEveryMs: 3_600_000 });
    await watching("jobs/default", "jobs/qa", "namespaces/-");
    let away = true;
    const refuse: Breakage = (_commit, write) => {
      if (!away) return write();
      bed.log.breakNext(refuse);
      return Promise.reject(new LogUnavailable("Redis is away"));
    };
    bed.log.breakNext(refuse);
    const web = { ...job("web", "default", 20), Name: "x".repeat(200) };
    bed.nomad.set("jobs/default", 20, [web]);
    const gauge = async (name: string) =>
      Number(new RegExp(`^${name} (\\d+)$`, "m").exec(await bed.metrics.registry.metrics())?.[1]);
    await until(
      "the list waits for the log",
      async () => (await gauge("nomad_changefeed_backlog_lists")) === 1,
    );
    expect(await gauge("nomad_changefeed_backlog_bytes")).toBeGreaterThan(200);
    expect(await gauge("nomad_changefeed_commit_bytes")).toBeGreaterThan(200);
    // The open query of the calm scope ends with nothing to write: its next one is not asked.
    const asked = bed.nomad.requests.length;
    bed.nomad.set("jobs/qa", 30, [job("calm", "qa", 5)]);
    await until("the calm scope says why it waits", () =>
      /the log does not take/.test(bed.supervisor.report("jobs/qa")?.reason ?? ""),
    );
    bed.nomad.set("jobs/qa", 40, [job("calm", "qa", 35)]);
    expect(bed.supervisor.report("jobs/qa")).toMatchObject({ upToDate: false });
    expect(bed.nomad.requests).toHaveLength(asked);
    away = false;
    await until("everything is in the log", async () => {
      const keys = new Set((await events()).map((event) => event.key));
      return keys.has("web") && keys.has("calm");
    });
    await until("nothing waits", async () => (await gauge("nomad_changefeed_backlog_bytes")) === 0);
    expect(bed.nomad.requests.length).toBeGreaterThan(asked);
  });

  it("does not run in circles over a namespace that is asked for by name and does not exist", async () => {
    bed.nomad.absent.add("ghost");
    bed.nomad.set("jobs/ghost", 10, []);
    start({ resources: ["jobs"], namespaces: ["ghost"] });
    await watching("jobs/ghost");
    bed.nomad.set("jobs/ghost", 20, [job("a", "ghost", 15)]);
    await until("the job", async () => (await events()).some((event) => event.key === "a"));
    bed.nomad.set("jobs/ghost", 30, []);
    await until("its delete", async () => (await events()).some((event) => event.op === "delete"));
    await until("the scope's end", () => watched().length === 0);
    expect(bed.local.owed().map(({ assignment }) => assignment)).toEqual(["jobs/ghost"]);
    expect(bed.nomad.requests.length).toBeLessThan(12);
  });
});

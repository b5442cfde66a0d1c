import { expect, it } from "vitest";
import { NomadError } from "../../src/nomad/errors.ts";
import { OutageReporter } from "../../src/pollers/outage-reporter.ts";
import type { Scope } from "../../src/schemas/scope.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { forbidden, scopeLoopBed } from "../support/scope-loop.ts";
import { until } from "../support/until.ts";

const variables = (namespace: string): Scope => ({ resource: "variables", namespace });
const unknownPath = (): NomadError =>
  new NomadError("NOMAD_NOT_FOUND", "GET /v1/vars: 404", { retryable: false, hint: "upgrade", status: 404 });

const bed = scopeLoopBed();
/** In which minutes pass at once. */
const clock = {
  ...systemClock,
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms >= 60_000 ? 20 : ms, signal),
};

it("says once that Nomad lacks a resource, in the feed too, and finds it after an upgrade", async () => {
  const { logger, lines } = recordingLogger();
  const outages = new OutageReporter(logger, systemClock);
  bed.nomad.set("variables/default", 10, [
    { CreateIndex: 5, ModifyIndex: 5, Namespace: "default", Path: "a/b" },
  ]);
  for (let time = 0; time < 3; time += 1) bed.nomad.failNext(unknownPath());
  const { loop } = bed.start(variables("default"), {}, { clock, logger, outages });
  await until("the condition", () => loop.report().condition === "unsupported");
  expect(loop.report()).toMatchObject({
    reason: "this version of Nomad does not have it",
    baselined: false,
    broken: false,
  });
  await until("the upgrade", () => loop.report().condition === "ok");
  expect(bed.nomad.requests.length).toBeGreaterThanOrEqual(4);
  const told = await bed.events();
  expect(told.map(({ type, data }) => data["state"] ?? type)).toEqual([
    "unsupported",
    "nomad.variable.snapshot",
    "nomad.feed.baseline",
    "supported",
  ]);
  expect(told[0]).toMatchObject({ severity: "INFO" });
  outages.lacks(variables("qa"), "this version of Nomad does not have it");
  expect(lines.filter((line) => line.includes("not watched"))).toEqual([
    "variables not watched: this version of Nomad does not have it; asking again every minute or two",
  ]);
});

it("says once what the token would need for a kind that it never could read, and reads it when it may", async () => {
  const { logger, lines } = recordingLogger();
  const outages = new OutageReporter(logger, systemClock);
  bed.nomad.set("acl-roles/-", 10, []);
  for (let time = 0; time < 3; time += 1) bed.nomad.failNext(forbidden());
  const { loop } = bed.start({ resource: "acl-roles", namespace: "-" }, {}, { clock, logger, outages });
  await until("the condition", () => loop.report().condition === "access-lost");
  await until("the right", () => loop.report().condition === "ok");
  expect(lines.filter((line) => line.includes("acl-roles"))).toEqual([
    expect.stringContaining("acl-roles/- is access-lost"),
    "acl-roles not watched: grant list-jobs; asking again every minute or two",
    "acl-roles/-: the scope may be read again",
  ]);
});

it("takes the same answer for a mistake where every Nomad has the resource", async () => {
  bed.nomad.set("jobs/default", 10, []);
  bed.nomad.failNext(unknownPath());
  const { loop } = bed.start();
  await until("the failure", () => loop.report().reason !== null);
  expect(loop.report().condition).toBe("starting");
});

it("keeps a node pool that the token may not see any more, and tells of one that is gone", async () => {
  const pool = (Name: string) => ({ Name, CreateIndex: 5, ModifyIndex: 5 });
  bed.nomad.set("node-pools/-", 10, [pool("gpu"), pool("cpu")]);
  const { loop } = bed.start({ resource: "node-pools", namespace: "-" }, {}, { clock });
  await until("the first list", () => loop.report().count === 2);
  bed.nomad.hidden.add("gpu");
  bed.nomad.absent.add("cpu");
  bed.nomad.set("node-pools/-", 20, []);
  const deleted = await until("the end of one", async () => {
    const ends = (await bed.events()).filter(({ op }) => op === "delete");
    return ends.length > 0 && ends.map(({ subject }) => subject);
  });
  expect(deleted).toEqual(["node-pools/-/cpu"]);
  await until("what is hidden", () => loop.report().condition === "access-lost");
  expect(loop.report()).toMatchObject({ count: 1, reason: expect.stringContaining("gpu") as string });
});

import { describe, expect, it } from "vitest";
import type { NomadApi } from "../../src/nomad/api.ts";
import { isSuspicious, verifyAbsence } from "../../src/pollers/access-guard.ts";
import { restoreSigns } from "../../src/pollers/restore-signs.ts";
import type { Change, Stub } from "../../src/schemas/change.ts";
import { parseExact, type JsonObject } from "../../src/schemas/json.ts";
import type { ObjectRef } from "../../src/schemas/resources.ts";
import type { Scope } from "../../src/schemas/scope.ts";

const ref = (namespace: string, key: string): ObjectRef => ({ resource: "jobs", namespace, key });
const refs = (count: number, namespace = "default"): ObjectRef[] =>
  Array.from({ length: count }, (_, position) => ref(namespace, `job${position}`));
const jobs = (namespace: string): Scope => ({ resource: "jobs", namespace });

describe("isSuspicious", () => {
  const ask = (input: {
    before: number;
    after: number;
    missing: ObjectRef[];
    scope?: Scope;
    left?: string[];
  }) =>
    isSuspicious({
      scope: input.scope ?? jobs("default"),
      before: input.before,
      after: input.after,
      missing: input.missing,
      namespacesLeft: () => new Set(input.left ?? ["default"]),
    });

  it.each([
    ["nothing is missing", { before: 5, after: 0, missing: [] }, false],
    ["a few of many are missing", { before: 100, after: 95, missing: refs(5) }, false],
    ["ten of twelve are missing", { before: 12, after: 2, missing: refs(10) }, false],
    ["eleven of thirteen are missing", { before: 13, after: 2, missing: refs(11) }, true],
    ["twenty of a hundred are missing", { before: 100, after: 80, missing: refs(20) }, false],
    ["twenty-one of a hundred are missing", { before: 100, after: 79, missing: refs(21) }, true],
    ["the list became empty", { before: 1, after: 0, missing: refs(1) }, true],
    [
      "a namespace lost its last object in a * list",
      { before: 100, after: 99, missing: refs(1, "qa"), scope: jobs("*") },
      true,
    ],
    [
      "a namespace is missing",
      { before: 9, after: 8, missing: refs(1), scope: { resource: "namespaces", namespace: "-" } as const },
      true,
    ],
  ])("%s", (_what, input, expected) => {
    expect(ask(input)).toBe(expected);
  });
});

describe("verifyAbsence", () => {
  const signal = new AbortController().signal;
  const nomad = (presence: Record<string, "present" | "absent" | "hidden">, allowed: string[]): NomadApi => ({
    list: async () => Promise.reject(new Error("not asked here")),
    mayList: async (_resource, namespace) => allowed.includes(namespace),
    namespacePresence: async (name) => presence[name] ?? "absent",
    nodePoolPresence: async (name) => presence[name] ?? "absent",
    namespaceCreateIndex: async () => Promise.reject(new Error("not asked here")),
    events: async () => Promise.reject(new Error("not asked here")),
    [Symbol.asyncDispose]: async () => undefined,
  });

  it("finds objects hidden where the token lost its rights, and accepts the rest", async () => {
    const verdict = await verifyAbsence(
      nomad({ a: "present", b: "present" }, ["a"]),
      jobs("*"),
      [ref("a", "x"), ref("b", "y"), ref("gone", "z")],
      signal,
    );
    expect(verdict.hiddenNamespaces).toEqual(["b"]);
    expect(verdict.namespaceGone).toBe(false);
  });

  it("knows that a scope's own namespace is gone", async () => {
    const verdict = await verifyAbsence(nomad({}, []), jobs("gone"), [ref("gone", "z")], signal);
    expect(verdict).toEqual({ hiddenNamespaces: [], namespaceGone: true });
  });

  it("takes a namespace for deleted only where Nomad says that it is absent", async () => {
    const scope: Scope = { resource: "namespaces", namespace: "-" };
    const names = ["a", "b", "c"].map((key): ObjectRef => ({ resource: "namespaces", namespace: "-", key }));
    const verdict = await verifyAbsence(
      nomad({ a: "present", b: "hidden", c: "absent" }, []),
      scope,
      names,
      signal,
    );
    expect(verdict.hiddenNamespaces).toEqual(["a", "b"]);
  });
});

describe("restoreSigns", () => {
  const stub = (fields: object): Stub => {
    const text = JSON.stringify({ ID: "web", Namespace: "default", ...fields });
    return { bytes: Buffer.from(text), value: parseExact(text) as JsonObject };
  };
  const job = (rev: number, created = 5): Stub => stub({ CreateIndex: created, ModifyIndex: rev });
  const summed = (rev: number, summary: number | null): Stub =>
    stub({
      CreateIndex: 5,
      ModifyIndex: rev,
      JobSummary: summary === null ? null : { ModifyIndex: summary },
    });
  const update = (before: Stub, after: Stub): Change => ({
    op: "update",
    ref: ref("default", "web"),
    before,
    after,
  });
  const create = (created: number, rev = created): Change => ({
    op: "create",
    ref: ref("default", "web"),
    after: job(rev, created),
  });

  it.each<[string, string, Change[], string | null, string | null]>([
    ["the first poll", "5", [create(3)], null, null],
    ["history goes on", "40", [update(job(20), job(35))], "30", null],
    ["the index went back", "17", [], "31", "went-back"],
    ["an object's rev went back", "40", [update(job(25), job(20))], "30", "went-back"],
    [
      "an object's rev went back above the last index",
      "160",
      [update(job(200), job(120))],
      "100",
      "went-back",
    ],
    ["an object got to a rev that was already past", "40", [update(job(20), job(25))], "30", "overtaken"],
    ["an object got to the very rev of the last index", "40", [update(job(20), job(30))], "30", "overtaken"],
    ["an object got to the rev after the last index", "40", [update(job(20), job(31))], "30", null],
    ["an old object appeared", "40", [create(25)], "30", "appeared"],
    ["an old object appeared, changed since", "40", [create(25, 35)], "30", "appeared"],
    ["an object appeared that was created by the very last index", "40", [create(30)], "30", "appeared"],
    ["an object appeared that was created after the last index", "40", [create(31)], "30", null],
    [
      "an object appeared that tells only its rev, an old one",
      "40",
      [{ op: "create", ref: ref("default", "web"), after: stub({ ModifyIndex: 25 }) }],
      "30",
      "appeared",
    ],
    [
      "another object has the name, older than the last index",
      "40",
      [update(job(20, 20), job(35, 25))],
      "30",
      "overtaken",
    ],
    [
      "another object has the name, older than the one before",
      "40",
      [update(job(20, 20), job(35, 15))],
      "30",
      "went-back",
    ],
    [
      "another object has the name, newer than the last index",
      "40",
      [update(job(20, 20), job(38, 35))],
      "30",
      null,
    ],
    ["content changed at the same rev", "40", [update(job(20), job(20))], "30", null],
    ["an object is ahead of the index", "30", [update(job(20), job(33))], "30", null],
    ["a job's summary vanished", "30", [update(summed(12, 28), summed(12, null))], "30", null],
    ["a job's summary came back", "30", [update(summed(12, null), summed(12, 28))], "30", null],
    ["a job's summary went on", "40", [update(summed(12, 28), summed(12, 38))], "30", null],
    [
      "a job's summary went back, which its own index hides",
      "40",
      [update(summed(29, 28), summed(29, 20))],
      "30",
      "went-back",
    ],
  ])("%s", (_what, index, changes, lastIndex, expected) => {
    const scope = jobs("default");
    expect([...restoreSigns({ scope, index, changes, lastIndex, floor: lastIndex })][0]?.kind ?? null).toBe(
      expected,
    );
  });

  it("names the object and both revisions, or the list and both indexes", () => {
    const reasons = restoreSigns({
      scope: jobs("default"),
      index: "29",
      changes: [
        update(job(25), job(20)),
        update(job(20), job(25)),
        update(summed(12, 28), summed(12, 27)),
        create(25),
      ],
      lastIndex: "30",
      floor: "30",
    }).map((sign) => sign.reason);
    expect([...reasons]).toEqual([
      "the index of jobs/default went back from 30 to 29",
      "ModifyIndex of jobs/default/web went back from 25 to 20",
      "ModifyIndex of jobs/default/web went from 20 to 25, but at index 30 it was still 20",
      "JobSummary.ModifyIndex of jobs/default/web went back from 28 to 27",
      "jobs/default/web appeared with CreateIndex 25, but at index 30 it was not there",
    ]);
  });
});

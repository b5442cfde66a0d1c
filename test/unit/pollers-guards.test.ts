import { describe, expect, it } from "vitest";
import type { NomadApi } from "../../src/nomad/api.ts";
import { isSuspicious, judge } from "../../src/pollers/access-guard.ts";
import { restoredBecause } from "../../src/pollers/observe.ts";
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

describe("judge", () => {
  const signal = new AbortController().signal;
  const nomad = (presence: Record<string, "present" | "absent" | "hidden">, allowed: string[]): NomadApi => ({
    list: async () => Promise.reject(new Error("not asked here")),
    mayList: async (_resource, namespace) => allowed.includes(namespace),
    namespacePresence: async (name) => presence[name] ?? "absent",
    close: async () => undefined,
  });

  it("finds objects hidden where the token lost its rights, and believes the rest", async () => {
    const verdict = await judge(
      nomad({ a: "present", b: "present" }, ["a"]),
      jobs("*"),
      [ref("a", "x"), ref("b", "y"), ref("gone", "z")],
      signal,
    );
    expect(verdict.hiddenNamespaces).toEqual(["b"]);
    expect(verdict.namespaceGone).toBe(false);
  });

  it("knows that a scope's own namespace is gone", async () => {
    const verdict = await judge(nomad({}, []), jobs("gone"), [ref("gone", "z")], signal);
    expect(verdict).toEqual({ hiddenNamespaces: [], namespaceGone: true });
  });

  it("takes a namespace for deleted only where Nomad says that it is absent", async () => {
    const scope: Scope = { resource: "namespaces", namespace: "-" };
    const names = ["a", "b", "c"].map((key): ObjectRef => ({ resource: "namespaces", namespace: "-", key }));
    const verdict = await judge(nomad({ a: "present", b: "hidden", c: "absent" }, []), scope, names, signal);
    expect(verdict.hiddenNamespaces).toEqual(["a", "b"]);
  });
});

describe("restoredBecause", () => {
  const stub = (text: string): Stub => ({ bytes: Buffer.from(text), value: parseExact(text) as JsonObject });
  const job = (rev: number): Stub => stub(`{"ID":"web","Namespace":"default","ModifyIndex":${rev}}`);
  const update = (from: number, to: number): Change => ({
    op: "update",
    ref: ref("default", "web"),
    before: job(from),
    after: job(to),
  });
  const recreate = (created: number, rev: number): Change => ({
    op: "create",
    ref: ref("default", "web"),
    after: stub(`{"ID":"web","Namespace":"default","CreateIndex":${created},"ModifyIndex":${rev}}`),
  });
  const replaced = (was: number, created: number, rev: number): Change => ({
    op: "update",
    ref: ref("default", "web"),
    before: stub(`{"ID":"web","Namespace":"default","CreateIndex":${was},"ModifyIndex":${was}}`),
    after: stub(`{"ID":"web","Namespace":"default","CreateIndex":${created},"ModifyIndex":${rev}}`),
  });
  const create = (rev: number): Change => ({ op: "create", ref: ref("default", "web"), after: job(rev) });

  it.each<[string, string, Change[], string | null, boolean, boolean]>([
    ["the first poll", "5", [create(3)], null, false, false],
    ["history goes on", "40", [update(20, 35)], "30", false, false],
    ["the index went back", "17", [], "31", false, true],
    ["an object's rev went back", "40", [update(25, 20)], "30", false, true],
    ["an object's rev went back above the last index", "160", [update(200, 120)], "100", false, true],
    ["an object got to a rev that was already past", "40", [update(20, 25)], "30", false, true],
    ["an old object appeared", "40", [create(25)], "30", false, true],
    ["an old object appeared, changed since", "40", [recreate(25, 35)], "30", false, true],
    [
      "another object has the name, older than the last index",
      "40",
      [replaced(20, 25, 35)],
      "30",
      false,
      true,
    ],
    [
      "another object has the name, newer than the last index",
      "40",
      [replaced(20, 35, 38)],
      "30",
      false,
      false,
    ],
    ["an old object appeared where rights may have widened", "40", [create(25)], "30", true, false],
    ["content changed at the same rev", "40", [update(20, 20)], "30", false, false],
    ["an object is ahead of the index", "30", [update(20, 33)], "30", false, false],
  ])("%s", (_what, index, changes, lastIndex, mayWiden, expected) => {
    expect(restoredBecause({ index, changes, lastIndex, mayWiden }) !== null).toBe(expected);
  });
});

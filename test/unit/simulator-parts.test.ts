import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resolveAccess } from "../../packages/nomad-simulator/src/acl/access.ts";
import {
  uuidKey,
  uuidPrefixProblem,
  watchPrefix,
} from "../../packages/nomad-simulator/src/api/watch-prefix.ts";
import { goTime, parseGoDurationMs } from "../../packages/nomad-simulator/src/go-time.ts";
import { createSimulator, InvalidFault, parseFaults } from "../../packages/nomad-simulator/src/index.ts";
import { SortedTexts } from "../../packages/nomad-simulator/src/store/sorted-texts.ts";
import type { Op } from "../../packages/nomad-simulator/src/store/state.ts";
import type { PolicyRules } from "../../packages/nomad-simulator/src/acl/records.ts";

describe("Go's durations and times", () => {
  it.each([
    ["60s", 60_000],
    ["2000ms", 2000],
    ["1m30s", 90_000],
    ["1.5h", 5_400_000],
    ["0", 0],
    ["-5s", -5000],
    ["250us", 0.25],
  ])("reads %s", (text, ms) => {
    expect(parseGoDurationMs(text)).toBe(ms);
  });

  it.each(["5", "", "s", "5 s", "1x", "--5s"])("refuses %j", (text) => {
    expect(parseGoDurationMs(text)).toBeUndefined();
  });

  it("drops trailing zeros of nanoseconds and keeps every other digit", () => {
    expect(goTime(1_795_432_399_192_473_860n)).toBe("2026-11-23T11:13:19.19247386Z");
    expect(goTime(1_795_432_399_000_000_000n)).toBe("2026-11-23T11:13:19Z");
  });
});

describe("texts in order", () => {
  it("stay in order, and know what begins with a prefix and who is near it", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 4 });
    fc.assert(
      fc.property(fc.array(text), fc.array(text), fc.array(text), text, (first, added, deleted, prefix) => {
        const sorted = new SortedTexts(new Set(first));
        const model = new Set(first);
        for (const one of new Set(added)) if (!model.has(one)) sorted.add(one);
        for (const one of added) model.add(one);
        for (const one of deleted) sorted.delete(one);
        const left = [...model].filter((one) => !deleted.includes(one)).toSorted();
        expect(sorted.all()).toEqual(left);
        expect([...sorted.startingWith(prefix)]).toEqual(left.filter((one) => one.startsWith(prefix)));
        expect(Math.max(0, ...sorted.neighbours(prefix).map((one) => shared(one, prefix)))).toBe(
          Math.max(0, ...left.map((one) => shared(one, prefix))),
        );
      }),
    );
  });

  function shared(one: string, other: string): number {
    let length = 0;
    while (length < other.length && one[length] === other[length]) length += 1;
    return length;
  }
});

describe("what a query over a prefix is woken by", () => {
  const op = (key: string): Op => {
    const { cluster } = createSimulator();
    cluster.createNamespace(key);
    const row = cluster.state.tables.namespaces.get("-", key);
    return { table: "namespaces", before: undefined, after: row, trees: ["namespaces"], moves: [] };
  };
  const wakes = (keys: readonly string[], prefix: string, key: string) =>
    watchPrefix("namespaces", (entry) => entry.after?.key ?? "", keys, prefix)(op(key));

  it("is woken below its prefix only, where something is there", () => {
    expect(wakes(["qa\0", "default\0"], "qa\0", "qa\0")).toBe(true);
    expect(wakes(["qa\0", "default\0"], "qa\0", "default\0")).toBe(false);
  });

  it("is woken by every write where nothing of it is there", () => {
    expect(wakes(["default\0"], "qa\0", "default\0")).toBe(true);
    expect(wakes([], "qa\0", "default\0")).toBe(true);
  });

  it("is woken by its neighbours only, where it shares a beginning with them", () => {
    expect(wakes(["team-a\0", "default\0"], "team-b\0", "team-a\0")).toBe(true);
    expect(wakes(["team-a\0", "default\0"], "team-b\0", "default\0")).toBe(false);
  });

  it("always notices an arrival under its own prefix", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 6 })),
        fc.string({ maxLength: 4 }),
        fc.string(),
        (keys, prefix, rest) => {
          expect(wakes(keys, prefix, prefix + rest)).toBe(true);
        },
      ),
    );
  });

  it("compares UUID prefixes by bytes and refuses what is no such prefix", () => {
    expect(uuidKey("0A1b-2c")).toBe("\u000a\u001b\u002c");
    expect(uuidPrefixProblem("abcd-ef")).toBeUndefined();
    expect(uuidPrefixProblem("abc")).toBe("index error: Input (without hyphens) must be even length");
    expect(uuidPrefixProblem("zz")).toBe("index error: Invalid UUID: encoding/hex: invalid byte: U+007A 'z'");
  });
});

describe("namespace rules", () => {
  const accessWith = (...rules: PolicyRules[]) => {
    const simulator = createSimulator({ acl: true });
    rules.forEach((rule, number) => simulator.acl.setPolicy(`p${number}`, rule));
    const { secretId } = simulator.acl.createToken({
      policies: [...rules.keys()].map((number) => `p${number}`),
    });
    const access = resolveAccess(simulator.cluster.state, secretId, 0);
    if (access === undefined) throw new Error("The token should resolve");
    return access;
  };

  it("takes an exact rule alone and globs only without one", () => {
    const access = accessWith({ namespaces: { "qa-*": "read", "qa-1": ["list-jobs"] } });
    expect(access.allows("qa-1", "read-job")).toBe(false);
    expect(access.allows("qa-1", "list-jobs")).toBe(true);
    expect(access.allows("qa-2", "read-job")).toBe(true);
    expect(access.allows("prod", "read-job")).toBe(false);
  });

  it("takes the glob closest in length", () => {
    const access = accessWith({ namespaces: { "*": "read", "team-*": ["list-jobs"] } });
    expect(access.allows("team-a", "read-job")).toBe(false);
    expect(access.allows("other", "read-job")).toBe(true);
  });

  it("unites rules for one name, and a deny clears them", () => {
    const united = accessWith({ namespaces: { qa: ["list-jobs"] } }, { namespaces: { qa: ["read-job"] } });
    expect([united.allows("qa", "list-jobs"), united.allows("qa", "read-job")]).toEqual([true, true]);
    const denied = accessWith({ namespaces: { qa: "read" } }, { namespaces: { qa: "deny" } });
    expect([denied.allows("qa", "list-jobs"), denied.seesNamespace("qa")]).toEqual([false, false]);
  });

  it("allows * where any rule has the capability", () => {
    const access = accessWith({ namespaces: { gone: ["list-jobs"] } });
    expect([access.allows("*", "list-jobs"), access.allows("*", "read-job")]).toEqual([true, false]);
  });

  it("reads nodes with any level but deny", () => {
    expect(accessWith({ node: "read" }).nodeRead).toBe(true);
    expect(accessWith({ node: "write" }, { node: "deny" }).nodeRead).toBe(false);
    expect(accessWith({}).nodeRead).toBe(false);
  });
});

describe("fault lists", () => {
  it("reads kinds with and without a probability", () => {
    expect(parseFaults("reset:0.01, 429")).toEqual([
      { kind: "reset", probability: 0.01 },
      { kind: "429", probability: 1 },
    ]);
  });

  it.each(["nope:0.1", "reset:2", "reset:", "reset:0.1:3"])("refuses %s and says what is allowed", (text) => {
    expect(() => parseFaults(text)).toThrow(InvalidFault);
  });
});

import { beforeEach, describe, expect, test } from "vitest";

import { systemClock } from "../../src/shared/clock.ts";
import { Flapping } from "../../src/pollers/flapping.ts";
import type { Observation } from "../../src/pollers/observe.ts";
import { RESOURCES } from "../../src/schemas/resources.ts";
import { diffWhole, type Snapshot } from "../../src/snapshots/snapshot.ts";
import { emptySnapshot } from "../support/list-fixtures.ts";
import { recordingLogger } from "../support/recording-logger.ts";

const pause = { onMove: () => undefined, signal: new AbortController().signal };

/** A job as a server of either version lists it: the newer one knows NodePool. */
function job(id: string, rev: number, version: "old" | "new", status = "running"): object {
  const pool = version === "new" ? { NodePool: "default" } : {};
  return { ID: id, Namespace: "default", Status: status, ...pool, CreateIndex: 1, ModifyIndex: rev };
}

describe("fields that come and go with the server that answers", () => {
  let elapsedMs: number;
  let flapping: Flapping;
  let lines: string[];
  let told: Snapshot;

  /** Polls once; answers what of it is told. */
  async function poll(stubs: readonly object[], more: Partial<Observation> = {}): Promise<string[]> {
    const { next, changes } = diffWhole(told, Buffer.from(JSON.stringify(stubs)));
    const observation = { next, changes, restored: null, ...more } as Observation;
    const sifted = await flapping.sift(observation, told, pause);
    told = sifted.next;
    return sifted.changes.map(({ op, ref }) => `${op} ${ref.key}`);
  }

  const both = (version: "old" | "new"): object[] => [job("a", 5, version), job("b", 5, version)];

  beforeEach(async () => {
    elapsedMs = 0;
    const recording = recordingLogger();
    lines = recording.lines;
    flapping = new Flapping({ ...systemClock, elapsed: () => elapsedMs }, recording.logger);
    told = emptySnapshot(RESOURCES.jobs);
    await poll(both("old"));
  });

  test("are told once, then held, and spoken of once", async () => {
    expect(await poll(both("new"))).toEqual(["update a", "update b"]);
    for (let turn = 0; turn < 10; turn++) {
      expect(await poll(both("old"))).toEqual([]);
      expect(await poll(both("new"))).toEqual([]);
    }
    expect(lines).toEqual([expect.stringMatching(/ignoring these fields until they are steady/)]);
  });

  test("do not keep back what really happens beside them", async () => {
    await poll(both("new"));
    await poll(both("old"));
    expect(await poll([job("a", 5, "old"), job("b", 9, "old", "dead")])).toEqual(["update b"]);
    expect(await poll([job("a", 5, "new"), job("b", 9, "new", "dead")])).toEqual([]);
    expect(await poll([job("b", 9, "old", "dead"), job("c", 12, "old")])).toEqual(["create c", "delete a"]);
    expect(await poll([job("b", 9, "new", "dead"), job("c", 12, "new")])).toEqual([]);
    expect(await poll([job("b", 9, "old", "failed"), job("c", 12, "new")])).toEqual(["update b"]);
  });

  test.each(["old", "new"] as const)(
    "are told as they are when they rest at the %s version",
    async (last) => {
      await poll(both("new"));
      await poll(both("old"));
      await poll(both(last));
      const rests: string[][] = [];
      for (let turn = 0; turn < 6; turn++) {
        elapsedMs += 40_000;
        rests.push(await poll(both(last)));
      }
      expect(rests.flat()).toEqual(last === "old" ? ["update a", "update b"] : []);
      expect(told.get({ resource: "jobs", namespace: "default", key: "a" })?.value["NodePool"]).toBe(
        last === "old" ? undefined : "default",
      );
      expect(lines.at(-1)).toMatch(/are steady again/);
      for (let turn = 0; turn < 12; turn++) await poll(both(last));
      expect(await poll(both(last === "old" ? "new" : "old"))).toEqual(["update a", "update b"]);
    },
  );

  test("are not at rest while they move within the time, however slowly", async () => {
    await poll(both("new"));
    for (let turn = 0; turn < 8; turn++) {
      elapsedMs += 100_000;
      expect(await poll(both(turn % 2 === 0 ? "old" : "new"))).toEqual([]);
    }
  });

  test("are nothing of that kind where the object's rev moves, or long after", async () => {
    await poll(both("new"));
    expect(await poll([job("a", 6, "old"), job("b", 5, "new")])).toEqual(["update a"]);
    for (let turn = 0; turn < 12; turn++) await poll([job("a", 6, "old"), job("b", 5, "new")]);
    expect(await poll([job("a", 6, "old"), job("b", 5, "old")])).toEqual(["update b"]);
    expect(lines).toEqual([]);
  });

  test("are nothing of that kind where a value becomes another and back, as a restore may have it", async () => {
    const jobs = (status: string): object[] => [job("a", 5, "old", status), job("b", 5, "old")];
    for (const status of ["dead", "running", "dead"]) {
      expect(await poll(jobs(status))).toEqual(["update a"]);
    }
    expect(lines).toEqual([]);
  });

  test("are told whole where Nomad was restored", async () => {
    await poll(both("new"));
    await poll(both("old"));
    expect(await poll(both("old"), { restored: "index went back" })).toEqual(["update a", "update b"]);
  });
});

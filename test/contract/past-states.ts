import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { ConsistentRead, FeedLog, StateFilter } from "../../src/feed/log.ts";
import { PastStates } from "../../src/reads/past-states.ts";
import { StateExpired } from "../../src/reads/errors.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { PastHistory, pastSteps, shown } from "../support/past-history.ts";
import { objects, type OpenLog } from "./log-context.ts";

/** What past states are on any log: what the feed knew after each of its events. */
export function pastStatesContract(name: string, open: OpenLog, { runs }: { runs: number }): void {
  const withLog = async (use: (log: FeedLog) => Promise<void>): Promise<void> => {
    const under = await open({ clock: systemClock });
    try {
      await use(under.log);
    } finally {
      await under.dispose();
    }
  };

  test(
    `${name} tells the state after every event that it holds, whatever happened`,
    { timeout: 600_000 },
    () =>
      fc.assert(
        fc.asyncProperty(pastSteps, fc.nat(20), fc.nat(5), (steps, trimmed, maxKeys) =>
          withLog(async (log) => {
            const history = new PastHistory(log);
            await history.write(steps);
            const past = new PastStates(log, { maxKeys });
            const { epoch, sequence } = await log.head();
            expect(history.after).toHaveLength(sequence + 1);
            const check = async (from: number) => {
              for (let at = from; at <= sequence; at += 1) {
                const told = await stateAt(past, { epoch, sequence: at });
                expect(told, `at ${at} of ${sequence}`).toEqual(history.after[at]);
              }
            };
            await check(0);
            const { floor } = await log.trim({ maxEvents: trimmed });
            await check(floor);
            await expect(stateAt(past, { epoch, sequence: floor - 1 })).rejects.toThrow(StateExpired);
            await checkParts(new PastStates(log), { epoch, sequence: floor }, history.after[floor] ?? []);
          }),
        ),
        { numRuns: runs },
      ),
  );
}

/** The whole is the sum of its parts, whichever way they are asked for. */
async function checkParts(
  past: PastStates,
  cursor: { epoch: string; sequence: number },
  whole: (typeof PastHistory.prototype.after)[number],
): Promise<void> {
  for (const namespace of ["default", "prod-2", "-"]) {
    const expected = whole.filter(([subject]) => subject.split("/")[1] === namespace);
    const resources = ["allocations", "jobs", "nodes"] as const;
    const told = [];
    for (const resource of resources) told.push(...(await stateAt(past, cursor, { resource, namespace })));
    expect(told).toEqual(expected);
  }
  for (const key of ["a", "a/b"]) {
    const ref = { resource: "jobs", namespace: "prod", key } as const;
    expect(await stateAt(past, cursor, ref)).toEqual(
      whole.filter(([subject]) => subject === `jobs/prod/${key}`),
    );
  }
  const includes = ({ namespace }: { namespace: string }) => namespace === "prod";
  expect(await stateAt(past, cursor, { resource: "allocations", includes })).toEqual(
    whole.filter(([subject]) => subject.startsWith("allocations/prod/")),
  );
}

async function stateAt(
  past: PastStates,
  cursor: { epoch: string; sequence: number },
  filter: StateFilter = {},
): Promise<ReturnType<typeof shown>> {
  await using read: ConsistentRead = await past.at({ kind: "cursor", cursor });
  expect(read.cursor).toEqual(cursor);
  return shown(await objects(read.entries(filter)));
}

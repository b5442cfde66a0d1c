import { expect, test } from "vitest";
import { Planner, type PlannerDeps } from "../../src/pollers/planner.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { TestClock } from "../support/test-clock.ts";

/** Plans for these names, for a minute; `presence` of each, as Nomad says it. */
async function saidFor(
  namespaces: readonly string[],
  presence: (name: string) => Promise<"present" | "absent" | "hidden">,
): Promise<string[]> {
  const clock = new TestClock();
  const { logger, lines } = recordingLogger();
  const stop = new AbortController();
  const deps = {
    clock,
    logger,
    nomad: { namespacePresence: presence },
    announce: () => Promise.resolve(),
    inForce: () => new Map(),
  };
  const planner = new Planner(deps as unknown as PlannerDeps, {
    resources: ["jobs"],
    namespaces,
    maxScopes: 50,
  });
  const running = planner.run(stop.signal);
  await clock.advance(60_000);
  stop.abort(new Error("enough"));
  await running;
  return lines;
}

test("names that Nomad does not have are said once, and no others", async () => {
  const said = await saidFor(["prod", "prdo", "secret"], async (name) =>
    name === "prdo" ? "absent" : name === "secret" ? "hidden" : "present",
  );
  expect(said).toEqual(["Nomad does not have the namespace prdo"]);
  expect(await saidFor(["prod"], async () => "present")).toEqual([]);
});

test("they are said once Nomad answers", async () => {
  let asked = 0;
  const said = await saidFor(["prdo"], async () => {
    asked += 1;
    if (asked < 3) throw new Error("Nomad is away");
    return "absent";
  });
  expect(said).toEqual(["Nomad does not have the namespace prdo"]);
});

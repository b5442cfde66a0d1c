import { expect, it } from "vitest";
import { createSimulator } from "../../packages/nomad-simulator/src/index.ts";
import { accountOf } from "../support/chaos-account.ts";

const at = (second: number): string => `2026-11-28T18:00:0${second}.000Z`;

it("the account of a scope that is wrong names who holds it, Nomad's index, and what was logged of it", () => {
  const simulator = createSimulator();
  simulator.cluster.registerJob({ id: "web" });
  const verdict = {
    events: 0,
    lost: ["jobs/default/web is not in the feed"],
    duplicated: [],
    outOfOrder: [],
  };
  const held = { state: "held", worker: "host/7/a", since: at(0), condition: "ok", reason: null } as const;
  const read = { reading: "lists", index: "3", objects: 0, lastOkAt: at(1), lagMs: 0 } as const;
  const lines = [
    { level: "debug", time: at(3), msg: "committed", scope: "jobs/default" },
    { level: "debug", time: at(1), msg: "committed", scope: "jobs/qa" },
  ];
  const steps = [{ level: "chaos", time: at(2), msg: "Redis was killed" }];
  const account = accountOf(verdict, {
    simulator,
    events: [],
    traces: {
      assignments: [{ assignment: "jobs/default", ...held, ...read }],
      processes: [
        { name: "worker 0 (7)", lines },
        { name: "chaos", lines: steps },
      ],
    },
  });
  expect(account).toEqual([
    "--- jobs/default",
    expect.stringContaining('"worker":"host/7/a"'),
    expect.stringMatching(/^Nomad: index [1-9]\d* of jobs/),
    expect.stringMatching(/chaos: .*Redis was killed/),
    expect.stringMatching(/worker 0 \(7\): .*jobs\/default/),
  ]);
});

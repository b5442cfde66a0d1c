import { describe, expect, it } from "vitest";
import { InvalidSimulateOption, simulate } from "../../src/commands/simulate.ts";
import { InvalidFault } from "../../packages/nomad-simulator/src/index.ts";

const OPTIONS = { listen: "127.0.0.1:0", seed: 1, allocations: 20, changesPerSecond: 200 };

describe("the simulate command", () => {
  it("says where it listens and what it simulates, lives, and ends when asked", async () => {
    const stop = new AbortController();
    const printed: string[] = [];
    const summary = Promise.withResolvers<void>();
    const stdout = {
      write(text: string) {
        if (printed.push(text) === 2) summary.resolve();
      },
    };
    const running = simulate({ ...OPTIONS, faults: "reset:0", acl: true }, { stdout, signal: stop.signal });
    await summary.promise;
    const url = /^Simulated Nomad listens on (http:\S+)\n$/.exec(printed[0] ?? "")?.[1] ?? "";
    const token = /token (\S+)\n$/.exec(printed[1] ?? "")?.[1] ?? "";
    expect(printed[1]).toMatch(
      /^seed 1, \d+ jobs, \d+ nodes, 20 allocations,.* 200 changes\/s, faults reset:0, token/,
    );
    const headers = { "x-nomad-token": token };
    const first = await fetch(`${url}/v1/evaluations?namespace=*`, { headers });
    const index = first.headers.get("x-nomad-index");
    const next = await fetch(`${url}/v1/evaluations?namespace=*&wait=20s&index=${index}`, { headers });
    expect(Number(next.headers.get("x-nomad-index"))).toBeGreaterThan(Number(index));
    stop.abort();
    await running;
    await expect(fetch(`${url}/v1/jobs`)).rejects.toThrow("fetch failed");
  });

  it.each([
    [{ listen: "nowhere" }, InvalidSimulateOption],
    [{ listen: "127.0.0.1:99999" }, InvalidSimulateOption],
    [{ allocations: 100_001 }, InvalidSimulateOption],
    [{ changesPerSecond: Number.NaN }, InvalidSimulateOption],
    [{ faults: "nope:1" }, InvalidFault],
  ])("refuses %j", async (wrong, kind) => {
    const io = { stdout: { write: () => {} }, signal: AbortSignal.abort() };
    await expect(simulate({ ...OPTIONS, ...wrong }, io)).rejects.toThrow(kind);
  });
});

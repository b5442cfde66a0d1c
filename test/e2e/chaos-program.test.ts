import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { own } from "../support/own-processes.ts";
import { childrenOf, statOf } from "../support/process-stat.ts";
import { redisMissing } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const PROGRAM = new URL("../chaos/main.ts", import.meta.url).pathname;
const missing = redisMissing();

describe.skipIf(missing !== undefined)(
  `the chaos program ends, and nothing it started outlives it${skippedBecause(missing)}`,
  () => {
    it("when it is told to stop", async () => {
      await using program = startProgram("--feed", "redis", "--workers", "2", "--seconds", "600");
      const children = await program.children(3);
      program.child.kill("SIGTERM");
      expect(await program.exited).toEqual([null, "SIGTERM"]);
      await until("its children are gone", () => aliveOf(children).length === 0);
    });

    it("when what it waits for never comes: it says what that was", async () => {
      await using program = startProgram("--seconds", "600", "--give-up-after", "3");
      const children = await program.children(1);
      for (const pid of children) process.kill(pid, "SIGSTOP");
      expect(await program.exited).toEqual([1, null]);
      expect(program.said).toMatch(/gave up after 3 s, waiting for: the feed /);
      await until("its children are gone", () => aliveOf(children).length === 0);
    });
  },
);

class ChaosProgram implements AsyncDisposable {
  readonly child: ChildProcess;
  /** Its exit code, or the signal that ended it. */
  readonly exited: Promise<unknown[]>;
  said = "";

  constructor(child: ChildProcess) {
    this.child = child;
    this.exited = once(child, "exit");
    child.stderr?.on("data", (bytes: Buffer) => (this.said += bytes.toString()));
  }

  /** Processes that it started, once there are so many. */
  children(count: number): Promise<number[]> {
    return until(`it has started ${count} processes`, () => {
      const found = childrenOf(this.child.pid ?? 0);
      return found.length >= count ? found : undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }
}

function startProgram(...flags: string[]): ChaosProgram {
  const args = ["--disable-warning=ExperimentalWarning", PROGRAM, ...flags];
  return new ChaosProgram(
    own(spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] }), "chaos program"),
  );
}

function aliveOf(pids: readonly number[]): number[] {
  return pids.filter((pid) => statOf(pid) !== undefined);
}

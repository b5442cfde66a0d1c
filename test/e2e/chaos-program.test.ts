import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { own } from "../support/own-processes.ts";
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
      expect(await program.exitCode()).toBe(143);
      await until("its children are gone", async () => (await alive(children)).length === 0);
    });

    it("when what it waits for never comes: it says what that was", async () => {
      await using program = startProgram("--seconds", "600", "--give-up-after", "3");
      const children = await program.children(1);
      for (const pid of children) process.kill(pid, "SIGSTOP");
      expect(await program.exitCode()).toBe(1);
      expect(program.said).toMatch(/gave up after 3 s, waiting for: the feed /);
      await until("its children are gone", async () => (await alive(children)).length === 0);
    });
  },
);

class ChaosProgram implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  said = "";

  constructor(child: ChildProcess) {
    this.child = child;
    this.#exited = once(child, "exit");
    child.stderr?.on("data", (bytes: Buffer) => (this.said += bytes.toString()));
  }

  async exitCode(): Promise<unknown> {
    return (await this.#exited)[0];
  }

  /** Processes that it started, once there are so many. */
  children(count: number): Promise<number[]> {
    return until(`it has started ${count} processes`, async () => {
      const found = await childrenOf(this.child.pid ?? 0);
      return found.length >= count ? found : undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.#exited;
  }
}

function startProgram(...flags: string[]): ChaosProgram {
  const args = ["--disable-warning=ExperimentalWarning", PROGRAM, ...flags];
  return new ChaosProgram(
    own(spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] }), "chaos program"),
  );
}

async function childrenOf(pid: number): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = await Promise.all(pids.map((one) => parentOf(one)));
  return pids.filter((_, position) => parents[position] === pid);
}

/** Undefined where there is no such process, or only what is left of one. */
async function parentOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const [, state, parent] = /\) (\S) (\d+) /.exec(stat) ?? [];
  return state === undefined || state === "Z" ? undefined : Number(parent);
}

async function alive(pids: readonly number[]): Promise<number[]> {
  const parents = await Promise.all(pids.map((pid) => parentOf(pid)));
  return pids.filter((_, position) => parents[position] !== undefined);
}

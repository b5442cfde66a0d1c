import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { createSimulator } from "../packages/nomad-simulator/src/index.ts";
import { own } from "../test/support/own-processes.ts";
import { cpuMsOf } from "../test/support/process-stat.ts";
import { until } from "../test/support/until.ts";
import type { BenchRow } from "./harness.ts";

const MAIN = new URL("../src/main.ts", import.meta.url).pathname;
const FEEDS = 10;
/** What a start leaves to be done is done by then. */
const SETTLE_MS = 10_000;
const MEASURE_MS = 20_000;

export default [
  {
    name: "feeds-10",
    unit: `ms of CPU that ${FEEDS} feeds of idle clusters in one process take in ${MEASURE_MS / 1000} s`,
    goal: "at most 7 × one feed",
    against: "one feed in a process of its own",
    run: measureIdle,
  },
] satisfies readonly BenchRow[];

async function measureIdle() {
  const folder = await mkdtemp(join(tmpdir(), "ncf-bench-"));
  const simulator = createSimulator({ seed: 1, allocations: 100, connectionLimit: 10_000 });
  const nomadAddr = await simulator.listen();
  try {
    const [value, against] = await Promise.all([
      idleMs(folder, nomadAddr, FEEDS),
      idleMs(folder, nomadAddr, 1),
    ]);
    return { value, against };
  } finally {
    await simulator.close();
    await rm(folder, { recursive: true });
  }
}

/** CPU time of a process that serves so many feeds of which nothing is to be told, ms. */
async function idleMs(folder: string, nomadAddr: string, feeds: number): Promise<number> {
  const file = join(folder, `${feeds}.yaml`);
  const entries = Array.from(
    { length: feeds },
    (_one, at) =>
      `  - name: f${at}\n    nomad-addr: ${nomadAddr}\n    feed: sqlite:${join(folder, `${feeds}-${at}.db`)}\n`,
  );
  await writeFile(file, `listen: 127.0.0.1:0\nlog-format: json\nfeeds:\n${entries.join("")}`);
  const args = ["--disable-warning=ExperimentalWarning", MAIN, "run", "--config", file];
  const child = own(spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] }), "feeds");
  try {
    const url = await urlOf(child);
    await until("all feeds are read", async () => {
      const { feeds: all } = (await (await fetch(`${url}/readyz`)).json()) as {
        feeds: Record<string, { ready: boolean }>;
      };
      return Object.values(all).every(({ ready }) => ready);
    });
    await delay(SETTLE_MS);
    const pid = child.pid ?? 0;
    const before = cpuMsOf(pid);
    await delay(MEASURE_MS);
    return cpuMsOf(pid) - before;
  } finally {
    const ended = once(child, "exit");
    child.kill("SIGINT");
    await ended;
  }
}

async function urlOf({ stderr }: ChildProcess): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  if (stderr === null) throw new Error("the child's stderr is not piped");
  createInterface({ input: stderr }).on("line", (line) => {
    const url = /serving several feeds at (\S+)\/v1\/feeds"/.exec(line)?.[1];
    if (url !== undefined) resolve(url);
  });
  return promise;
}

import { spawn } from "node:child_process";
import { once as onceEmitted } from "node:events";
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { FeedLog } from "../src/feed/log.ts";
import { draft, objectChange, refOf } from "../test/support/drafts.ts";
import { TestFeed } from "../test/support/http-feed.ts";
import { once, type BenchRow } from "./harness.ts";
import { longestStallMs } from "./stalls.ts";

const KIB = 1024;
const MIB = 1024 * 1024;
const PAGES = 500;
const CUTS = 300;
const CHANGES_PER_CUT = 10;
const OBJECTS = 5000;
/** How long what was asked for may take to be written as far as it can be. */
const SETTLE_MS = 3000;
const MEMORY_CUTS = 100;
const READS = { maxTimeMs: 600_000, maxStates: 1000, maxStatesPerHolder: 1000 };

const unreadPages = once(measurePages);
const unreadCuts = once(measureCuts);

const rows: readonly BenchRow[] = [
  {
    name: "hostile-unread",
    unit: `KiB that the process grows by for each of ${PAGES / 2} connections that ask for pages of 1 MiB and read nothing, beside as many that do already`,
    goal: "at most 64",
    against: "nothing",
    run: async () => (await unreadPages()).kibEach,
  },
  {
    name: "hostile-unread-memory",
    unit: "MiB that the process grows by for all of them, what it has not yet collected included",
    goal: "at most 128",
    against: "nothing",
    run: async () => (await unreadPages()).mibInAll,
  },
  {
    name: "hostile-unread-stall",
    unit: "ms that the event loop stood still at most meanwhile",
    goal: "at most 50",
    against: "the same without them",
    run: async () => {
      const { stallMs, calmStallMs } = await unreadPages();
      return { value: stallMs, against: calmStallMs };
    },
  },
  {
    name: "hostile-cuts",
    unit: `KiB that the process grows by for each of ${CUTS} states that nobody reads, each of a moment of its own, in SQLite`,
    goal: "at most 64",
    against: "nothing",
    run: async () => (await unreadCuts()).kibEach,
  },
  {
    name: "hostile-cuts-descriptors",
    unit: `open files for each of them, its socket among them`,
    goal: "at most 4",
    against: "nothing",
    run: async () => (await unreadCuts()).filesEach,
  },
  {
    name: "state-cuts-memory",
    unit: `MiB that the process grows by over ${MEMORY_CUTS} cuts one after the other and ${MEMORY_CUTS} at once, after as many before`,
    goal: "at most 8",
    against: "nothing",
    run: measureCutsMemory,
  },
];

export default rows;

/** Who asks for much and reads nothing, in a process of its own: its memory is not the server's. */
class Attacker implements AsyncDisposable {
  readonly #process;

  constructor(url: string) {
    const script = fileURLToPath(new URL("unread-attacker.ts", import.meta.url));
    this.#process = spawn(process.execPath, [...process.execArgv, script, url], {
      stdio: ["pipe", "pipe", "inherit"],
    });
  }

  async ask(path: string): Promise<void> {
    const asked = onceEmitted(this.#process.stdout, "data");
    this.#process.stdin.write(`${path}\n`);
    await asked;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = onceEmitted(this.#process, "exit");
    this.#process.stdin.end();
    this.#process.kill("SIGKILL");
    await gone;
  }
}

function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}

async function measurePages() {
  await using feed = await TestFeed.open();
  await feed.commitMany("a", 500, 10_000);
  const { url } = await feed.serve();
  const path = "/v1/events?limit=1000";
  for (let warmUp = 0; warmUp < 20; warmUp += 1) await (await fetch(`${url}${path}`)).text();
  const calmStallMs = await longestStallMs(() => sleep(SETTLE_MS));
  await using attacker = new Attacker(url);
  await attacker.ask("/healthz");
  const askMany = async () => {
    for (let page = 0; page < PAGES / 2; page += 1) await attacker.ask(path);
    await sleep(SETTLE_MS);
  };
  const before = residentBytes();
  const stallsMs = [await longestStallMs(askMany)];
  const between = residentBytes();
  stallsMs.push(await longestStallMs(askMany));
  const after = residentBytes();
  return {
    kibEach: (after - between) / (PAGES / 2) / KIB,
    mibInAll: (after - before) / MIB,
    stallMs: Math.max(...stallsMs),
    calmStallMs,
  };
}

async function writeObjects(feed: TestFeed): Promise<void> {
  const meta = "x".repeat(1000);
  for (let first = 0; first < OBJECTS; first += 500) {
    const states = Array.from({ length: 500 }, (_, n) => {
      const ref = refOf("allocations", `a${first + n}`);
      return { ref, next: { rev: "1", stub: Buffer.from(JSON.stringify({ ID: ref.key, Meta: meta })) } };
    });
    await feed.write([draft({ resource: "allocations" })], states);
  }
}

let changed = 0;

async function change(feed: TestFeed): Promise<void> {
  const changes = Array.from({ length: CHANGES_PER_CUT }, () => {
    changed += 1;
    return objectChange(refOf("allocations", `a${changed % OBJECTS}`), String(changed));
  });
  await feed.commitObjects(...changes);
}

async function measureCuts() {
  await using feed = await TestFeed.open();
  await writeObjects(feed);
  const { url } = await feed.serve({ reads: READS });
  for (let warmUp = 0; warmUp < 5; warmUp += 1) await (await fetch(`${url}/v1/state`)).text();
  await using attacker = new Attacker(url);
  await attacker.ask("/healthz");
  const before = residentBytes();
  const filesBefore = openFiles();
  for (let cut = 0; cut < CUTS; cut += 1) {
    await attacker.ask("/v1/state");
    await change(feed);
  }
  await sleep(SETTLE_MS);
  return {
    kibEach: (residentBytes() - before) / CUTS / KIB,
    filesEach: (openFiles() - filesBefore) / CUTS,
  };
}

async function measureCutsMemory(): Promise<number> {
  await using feed = await TestFeed.open();
  await writeObjects(feed);
  await takeCuts(feed);
  const before = residentBytes();
  await takeCuts(feed);
  return (residentBytes() - before) / MIB;
}

async function takeCuts(feed: TestFeed): Promise<void> {
  for (let cut = 0; cut < MEMORY_CUTS; cut += 1) {
    await using taken = await feed.log.consistentRead();
    await readSome(taken);
    await change(feed);
  }
  await using all = new AsyncDisposableStack();
  for (let cut = 0; cut < MEMORY_CUTS; cut += 1) {
    await readSome(all.use(await feed.log.consistentRead()));
    await change(feed);
  }
}

async function readSome(cut: Awaited<ReturnType<FeedLog["consistentRead"]>>): Promise<void> {
  let read = 0;
  for await (const entries of cut.entries({ resource: "allocations" })) {
    read += entries.length;
    if (read > 500) return;
  }
}

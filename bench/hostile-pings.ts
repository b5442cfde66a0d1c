import { fork, type ChildProcess } from "node:child_process";
import { once as event } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { TestFeed } from "../test/support/http-feed.ts";
import { own } from "../test/support/own-processes.ts";
import { until } from "../test/support/until.ts";
import type { FlooderArguments } from "./flooder.ts";
import { median, once, type BenchRow } from "./harness.ts";
import { longestStallMs } from "./stalls.ts";

const CLIENTS = 5;
const EVENTS = 2000;
const ROUNDS = 3;
const ROUND_MS = 2000;
const READINGS = 5;

const pings = once(measure);

export default [
  {
    name: "hostile-ping",
    unit: `ms that the event loop stood still at most while ${CLIENTS} clients flood it with pings and acks, median of ${ROUNDS}`,
    goal: "at most 50",
    against: "the same process idle for as long",
    run: async () => (await pings()).stallMs,
  },
  {
    name: "hostile-ping-memory",
    unit: `bytes that each of these clients holds, median of ${ROUNDS}`,
    goal: "at most 65536",
    against: "nothing; it is the difference to when they are gone, sockets and all",
    run: async () => (await pings()).bytesEach,
  },
] satisfies readonly BenchRow[];

async function measure() {
  await using feed = await TestFeed.open();
  await feed.commitMany("a", EVENTS);
  const { url } = await feed.serve();
  // The first only warms up.
  await stop(await flood(feed, url));
  const [stalls, idle]: number[][] = [[], []];
  const bytes: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    idle?.push(await longestStallMs(() => delay(ROUND_MS)));
    const flooder = await flood(feed, url);
    stalls?.push(await longestStallMs(() => delay(ROUND_MS)));
    const during = await heldBytes();
    await stop(flooder);
    bytes.push((during - (await heldBytes())) / CLIENTS);
  }
  return {
    stallMs: { value: median(stalls ?? []), against: median(idle ?? []) },
    bytesEach: Math.max(0, median(bytes)),
  };
}

/** Resolves once the flood arrives. */
async function flood(feed: TestFeed, url: string): Promise<ChildProcess> {
  const { epoch, sequence } = await feed.log.head();
  const args: FlooderArguments = [new URL(url).port, epoch, String(sequence), String(CLIENTS)];
  const child = own(
    fork(join(import.meta.dirname, "flooder.ts"), args, {
      execArgv: ["--disable-warning=ExperimentalWarning"],
    }),
    "flooder",
  );
  await until("the flood arrives", async () => (await feed.log.consumers.get("flooder-1")) !== undefined);
  await delay(ROUND_MS / 4);
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill();
  await event(child, "exit");
  await delay(ROUND_MS / 4);
}

async function heldBytes(): Promise<number> {
  const bytes: number[] = [];
  for (let reading = 0; reading < READINGS; reading += 1) {
    await delay(50);
    for (let pass = 0; pass < 3; pass += 1) globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    bytes.push(heapUsed + external);
  }
  return median(bytes);
}

import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { startBridgeProcess, type BridgeProcess } from "../test/support/bridge-process.ts";
import { cpuMsOf } from "../test/support/process-stat.ts";
import { until } from "../test/support/until.ts";
import { nowMs } from "./fan-out-sides.ts";
import { NomadProcess } from "./nomad-process.ts";
import type { Change } from "./nomad-side.ts";
import { followStream } from "./bare-stream.ts";
import { inDirectory, openSocket } from "./subscriber.ts";

type Reading = "hinted" | "lists";

export interface RunOptions {
  readonly allocations: number;
  readonly reading: Reading;
  readonly changes: number;
  /** Undefined: each change waits for the frame of the one before. */
  readonly perSecond?: number;
}

/** What a bridge did while allocations changed, one at a time. */
export interface Run {
  /** From each write to its frame at a WebSocket subscriber. */
  readonly frameMs: readonly number[];
  /** From each write to its event at a bare reader of Nomad's event stream. */
  readonly streamMs: readonly number[];
  readonly tookMs: number;
  /** Bytes that Nomad sent to the bridge, headers included. */
  readonly bytes: number;
  /** Of the list of all allocations. */
  readonly listBytes: number;
  readonly cpuMs: number;
  /** At the end. */
  readonly residentBytes: number;
}

const WARM_UPS = 1 / 8;
const LOOK_EVERY_MS = 500;

/** None of the lists that the bridge reads by schedule is read meanwhile. */
export function measureRun(options: RunOptions): Promise<Run> {
  return inDirectory(async (directory) => {
    const nomad = await NomadProcess.start(options.allocations);
    const bridge = startBridgeProcess({
      nomadAddr: nomad.address,
      feed: `sqlite:${directory}/feed.db`,
      env: { NODE_OPTIONS: process.env["BENCH_NODE_OPTIONS"] ?? "" },
      flags: ["--reading", options.reading, "--full-every", "24h", "--log-level", "info"],
    });
    try {
      await bridge.ready();
      while (options.reading === "hinted" && !(await isHinted(bridge))) await delay(LOOK_EVERY_MS);
      return await measure(nomad, bridge, options);
    } finally {
      await bridge.stop();
      await nomad.close();
    }
  });
}

async function measure(
  nomad: NomadProcess,
  bridge: BridgeProcess,
  { changes, perSecond }: RunOptions,
): Promise<Run> {
  const pid = bridge.child.pid ?? 0;
  const frames = new Map<string, number>();
  const socket = await openSocket(bridge, "types=allocations", ({ data }) => {
    frames.set(`${data.resource?.id}@${data.rev?.current}`, nowMs());
  });
  const stream = await followStream(nomad.address, "Allocation");
  await makeChanges(nomad, { count: Math.ceil(changes * WARM_UPS), perSecond }, frames);
  const usage = async () => ({
    cpuMs: cpuMsOf(pid),
    bytes: (await nomad.sentBytes()) - stream.bytes,
    atMs: nowMs(),
  });
  const before = await usage();
  const made = await makeChanges(nomad, { count: changes, perSecond }, frames);
  const after = await usage();
  socket.terminate();
  stream.stop();
  const response = await fetch(`${nomad.address}/v1/allocations`);
  const listBytes = (await response.arrayBuffer()).byteLength;
  return {
    frameMs: made.map((change) => (frames.get(nameOf(change)) ?? Number.NaN) - change.atMs),
    streamMs: made.map((change) => (stream.seen.get(nameOf(change)) ?? Number.NaN) - change.atMs),
    tookMs: after.atMs - before.atMs,
    bytes: after.bytes - before.bytes,
    listBytes,
    cpuMs: after.cpuMs - before.cpuMs,
    residentBytes: residentOf(pid),
  };
}

/** Resolves when all of them have their frame. */
async function makeChanges(
  nomad: NomadProcess,
  { count, perSecond }: { count: number; perSecond: number | undefined },
  frames: ReadonlyMap<string, number>,
): Promise<Change[]> {
  const made: Change[] = [];
  const haveFrames = () => made.every((change) => frames.has(nameOf(change)));
  const beganMs = nowMs();
  for (let number = 0; number < count; number += 1) {
    if (perSecond === undefined) await until("the change before has its frame", haveFrames);
    else await delay(Math.max(0, beganMs + (number * 1000) / perSecond - nowMs()));
    // As in the simulated Nomad: the readers of this process are not to stand still among what is measured.
    globalThis.gc?.({ type: "minor" });
    made.push(await nomad.change());
  }
  await until("every change has its frame", haveFrames);
  return made;
}

function nameOf({ id, index }: Change): string {
  return `${id}@${index}`;
}

async function isHinted(bridge: BridgeProcess): Promise<boolean> {
  return (await metric(bridge, 'scopes_by_reading{reading="hinted"}')) >= 5;
}

/** Of all its labels together. */
async function metric(bridge: BridgeProcess, name: string): Promise<number> {
  const text = await (await fetch(`${await bridge.url()}/metrics`)).text();
  return text
    .split("\n")
    .filter((line) => line.startsWith(`nomad_changefeed_${name}`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

function residentOf(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
  return Number(kilobytes) * 1024;
}

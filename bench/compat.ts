import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findNomadAgent } from "../test/support/nomad-agent.ts";
import { NomadWriter } from "../test/support/nomad-writer.ts";
import { own } from "../test/support/own-processes.ts";
import { RawEventStream } from "../test/support/raw-event-stream.ts";
import { startStandIn } from "../test/support/stand-in.ts";
import { until } from "../test/support/until.ts";
import { median, type BenchRow } from "./harness.ts";

const CLIENTS = 50;
const JOBS = 2000;
const ROUNDS = 3;
const NOTE = "x".repeat(1000);

export default [
  {
    name: "compat-stream",
    unit: `events/s that ${CLIENTS} clients of Nomad's event stream get together of ${JOBS} jobs, from the bridge`,
    goal: "at least 1 × Nomad's own stream",
    against: "the same clients of a real Nomad whose buffer has them all; needs NOMAD_BIN",
    run: measureStream,
  },
] satisfies readonly BenchRow[];

async function measureStream() {
  const agent = await findNomadAgent(process.env, { eventBufferSize: JOBS * 10 });
  if (typeof agent === "string") throw new Error(agent);
  const folder = await mkdtemp(join(tmpdir(), "ncf-bench-"));
  const standIn = await startStandIn({ nomadAddr: agent.address, folder });
  try {
    const writer = new NomadWriter(agent.address);
    for (let at = 0; at < JOBS; at += 1) await writer.registerTemplate(`bench-${at}`, "default", NOTE);
    const frames = await until("all is recorded", async () => {
      const recorded = await standIn.recorded();
      return recorded >= JOBS && recorded;
    });
    const events = await eventsIn(agent.address, frames);
    const theirs: number[] = [];
    const ours: number[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const [theirMs, ourMs] = [await readBy(agent.address, frames), await readBy(standIn.address, frames)];
      // The first one only warms up.
      if (round === 0) continue;
      theirs.push(theirMs);
      ours.push(ourMs);
    }
    const perSecond = (ms: number) => (CLIENTS * events * 1000) / ms;
    return { value: perSecond(median(ours)), against: perSecond(median(theirs)) };
  } finally {
    await standIn.stop();
    await agent.stop();
    await rm(folder, { recursive: true });
  }
}

async function eventsIn(address: string, frames: number): Promise<number> {
  using stream = await RawEventStream.open(address, "namespace=*&index=1");
  await until("all frames have come", () => stream.frames.length >= frames);
  return stream.frames.reduce(
    (sum, line) => sum + (JSON.parse(line) as { Events: unknown[] }).Events.length,
    0,
  );
}

async function readBy(address: string, frames: number): Promise<number> {
  const args = [address, String(CLIENTS), String(frames)];
  const child = own(fork(new URL("compat-readers.ts", import.meta.url), args), "readers");
  const [ms] = (await once(child, "message")) as [number];
  return ms;
}

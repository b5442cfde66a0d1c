import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createSimulator, type Simulator } from "../packages/nomad-simulator/src/index.ts";
import { startBridgeProcess, type BridgeProcess } from "../test/support/bridge-process.ts";
import { findNomadAgent, type NomadAgent } from "../test/support/nomad-agent.ts";
import { followEventStream } from "../test/support/nomad-event-stream.ts";
import { NomadWriter } from "../test/support/nomad-writer.ts";
import { until } from "../test/support/until.ts";
import { median, once, p99, type BenchRow } from "./harness.ts";
import { inDirectory, openSocket } from "./subscriber.ts";

const ALLOCATIONS = 200;
const CHANGES = 200;
const BETWEEN_MS = 60;
const STARTS = 5;

interface Latencies {
  readonly frameMs: readonly number[];
  readonly againstMs: readonly number[];
}

const simulated = once(() => withBridge(measureSimulated));

const rows: BenchRow[] = [
  {
    name: "poll-to-frame-median",
    unit: "ms from a change in the simulated cluster to the WebSocket frame, median",
    goal: "at most 1.35 × a bare blocking query",
    against: "the answer of a bare blocking query on the same list, in turns",
    run: async () => sides(await simulated(), median),
  },
  {
    name: "poll-to-frame-p99",
    unit: "ms from a change in the simulated cluster to the WebSocket frame, 99th percentile",
    goal: "at most 1.6 × a bare blocking query",
    against: "the answer of a bare blocking query on the same list, in turns",
    run: async () => sides(await simulated(), p99),
  },
  {
    name: "start-to-first-event",
    unit: `ms from starting the process to the first event of ${ALLOCATIONS} allocations, median`,
    goal: "at most 3000",
    against: "nothing; what a person waits for",
    run: async () => median(await measureStarts()),
  },
];

// Only a real Nomad can say what its own event stream takes.
if (process.env["NOMAD_ADDR"] !== undefined || process.env["NOMAD_BIN"] !== undefined) {
  rows.push({
    name: "poll-to-frame-vs-event-stream",
    unit: "ms from registering a job in a real Nomad to the WebSocket frame of its evaluation, median",
    goal: "at most 1.5 × Nomad's own event stream",
    against: "the same evaluation in /v1/event/stream",
    run: async () => sides(await measureReal(), median),
  });
}

export default rows;

function sides({ frameMs, againstMs }: Latencies, take: (values: readonly number[]) => number) {
  return { value: take(frameMs), against: take(againstMs) };
}

interface Watched {
  readonly simulator: Simulator;
  readonly bridge: BridgeProcess;
}

async function withBridge<T>(work: (watched: Watched) => Promise<T>): Promise<T> {
  return inDirectory(async (directory) => {
    const simulator = createSimulator({ seed: 1, allocations: ALLOCATIONS });
    const address = await simulator.listen();
    const bridge = startBridgeProcess({ nomadAddr: address, feed: `sqlite:${join(directory, "feed.db")}` });
    try {
      await bridge.ready();
      return await work({ simulator, bridge });
    } finally {
      await bridge.stop();
      await simulator.close();
    }
  });
}

/**
 * One change after the other, in turns: where the bridge watches, until its frame, and in a cluster of its own where only
 * the bare query waits, until its answer. Beside each other the one would wait for what the simulator does for the other.
 */
async function measureSimulated({ simulator, bridge }: Watched): Promise<Latencies> {
  const seen = new Map<string, number>();
  const socket = await openSocket(bridge, "types=allocations", (event, atMs) => {
    seen.set(`${event.data.resource?.id}@${event.data.rev?.current}`, atMs);
  });
  const beside = createSimulator({ seed: 1, allocations: ALLOCATIONS });
  const list = `${await beside.listen()}/v1/allocations`;
  const ids = [...(simulator.state().get("allocations") ?? new Map<string, string>()).keys()].map((key) =>
    key.slice(key.indexOf("/") + 1),
  );
  const frameMs: number[] = [];
  const againstMs: number[] = [];
  for (let change = 0; change < CHANGES; change += 1) {
    const id = ids[change % ids.length] ?? "";
    const bare = answered(`${list}?index=${beside.index}&wait=60s`);
    const askedAt = await restarted(beside, id);
    againstMs.push((await bare) - askedAt);
    const startedAt = await restarted(simulator, id);
    const index = simulator.index;
    const atMs = await until(`the frame of ${id}`, () => seen.get(`${id}@${index}`));
    frameMs.push(atMs - startedAt);
  }
  socket.terminate();
  await beside.close();
  return { frameMs, againstMs };
}

/** When it was written. What the simulator leaves behind in this process is not collected while anybody waits. */
async function restarted(simulator: Simulator, id: string): Promise<number> {
  globalThis.gc?.();
  await delay(BETWEEN_MS);
  const atMs = performance.now();
  simulator.cluster.restartTask(id);
  return atMs;
}

async function measureStarts(): Promise<number[]> {
  const times: number[] = [];
  for (let start = 0; start < STARTS; start += 1) {
    const startedAt = await inDirectory(async (directory) => {
      const simulator = createSimulator({ seed: start + 1, allocations: ALLOCATIONS });
      const nomadAddr = await simulator.listen();
      const begin = performance.now();
      const bridge = startBridgeProcess({ nomadAddr, feed: `sqlite:${join(directory, "feed.db")}` });
      const first = Promise.withResolvers<number>();
      const socket = await openSocket(bridge, "cursor=earliest", (_event, atMs) => first.resolve(atMs));
      const tookMs = (await first.promise) - begin;
      socket.terminate();
      await bridge.stop();
      await simulator.close();
      return tookMs;
    });
    times.push(startedAt);
  }
  return times;
}

async function measureReal(): Promise<Latencies> {
  const agent = await findNomadAgent(process.env);
  if (typeof agent === "string") throw new Error(agent);
  try {
    return await inDirectory((directory) => raceEventStream(agent, directory));
  } finally {
    await agent.stop();
  }
}

/** Registers jobs that nothing can place, one at a time, and notes when either tells of their evaluation. */
async function raceEventStream(agent: NomadAgent, directory: string): Promise<Latencies> {
  const nomad = new NomadWriter(agent.address);
  const bridge = startBridgeProcess({
    nomadAddr: agent.address,
    feed: `sqlite:${join(directory, "feed.db")}`,
  });
  await bridge.ready();
  const frames = new Map<string, number>();
  const socket = await openSocket(bridge, "types=evaluations", (event, atMs) => {
    const job = event.data.resource?.job;
    if (job !== undefined && !frames.has(job)) frames.set(job, atMs);
  });
  const streamed = new Map<string, number>();
  const stream = await followEventStream(agent.address, (event) => {
    const job = event.topic === "Evaluation" ? event.filterKeys[0] : undefined;
    if (job !== undefined && !streamed.has(job)) streamed.set(job, performance.now());
  });
  const [frameMs, againstMs]: [number[], number[]] = [[], []];
  try {
    for (let change = 0; change < CHANGES / 2; change += 1) {
      const id = `bench-${process.pid}-${change}`;
      const startedAt = performance.now();
      await nomad.registerJob({
        id,
        namespace: "default",
        count: 1,
        command: "true",
        type: "batch",
        datacenter: "none",
      });
      await until(`both tell of ${id}`, () => frames.has(id) && streamed.has(id));
      frameMs.push((frames.get(id) ?? Number.NaN) - startedAt);
      againstMs.push((streamed.get(id) ?? Number.NaN) - startedAt);
      await nomad.stopJob(id, "default", { purge: true });
      await delay(BETWEEN_MS * 3);
    }
  } finally {
    socket.terminate();
    stream.stop();
    await bridge.stop();
  }
  return { frameMs, againstMs };
}

/** When a plain HTTP request has its whole answer. */
function answered(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, (response) => {
      response.resume();
      response.once("end", () => resolve(performance.now()));
    });
    asked.once("error", reject);
    asked.end();
  });
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { checkLog, parseEvent, readLog, type SeenEvent } from "../support/feed-check.ts";
import { findNomadAgent, type NomadAgent } from "../support/nomad-agent.ts";
import { followEventStream } from "../support/nomad-event-stream.ts";
import { nomadTruth } from "../support/nomad-truth.ts";
import { NomadWriter } from "../support/nomad-writer.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

const found = await findNomadAgent(process.env);
const origin = typeof found === "string" ? `skipped: ${found}` : found.origin;
if (typeof found === "string") process.stderr.write(`${found}\n`);

const tag = `ncf-${process.pid}-many`;
const JOBS = 5_000;
const WRITERS = 8;
const CHANGES = 40;
const LIST_POLLS = 15;

const idOf = (position: number): string => `${tag}-${String(position).padStart(5, "0")}`;
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

describe.skipIf(typeof found === "string")(`many jobs of a real Nomad, read by hints (${origin})`, () => {
  let agent: NomadAgent;
  let directory: string;
  let file: string;
  let proxy: TcpProxy;
  let bridge: BridgeProcess;
  let nomad: NomadWriter;

  /** Runs it for every job, some at once. */
  const forEachJob = async (act: (id: string) => Promise<void>): Promise<void> => {
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < JOBS) await act(idOf(next++));
    };
    await Promise.all(Array.from({ length: WRITERS }, work));
  };
  const change = (id: string, note: string) => nomad.registerTemplate(id, "default", note);
  const readings = async (): Promise<Map<string, unknown>> => {
    const response = await fetch(`${await bridge.url()}/v1/assignments`);
    const { assignments } = (await response.json()) as {
      assignments: { assignment: string; reading?: string | null }[];
    };
    return new Map(assignments.map(({ assignment, reading }) => [assignment, reading]));
  };
  const updateOf = (id: string): Promise<SeenEvent> =>
    until(`an update of ${id}`, async () =>
      (await readLog(file)).find((event) => event.key === id && event.op === "update"),
    );

  beforeAll(async () => {
    if (typeof found === "string") return;
    agent = found;
    nomad = new NomadWriter(agent.address);
    await forEachJob((id) => change(id, "first"));
    directory = await mkdtemp(join(tmpdir(), "ncf-many-"));
    file = join(directory, "feed.db");
    proxy = await TcpProxy.to(Number(new URL(agent.address).port));
    bridge = startBridgeProcess({
      nomadAddr: `http://127.0.0.1:${proxy.port}`,
      feed: `sqlite:${file}`,
      flags: ["--baseline", "events", "--max-event-bytes", "10MiB", "--wait", "10s"],
    });
    await bridge.ready();
  });

  afterAll(async () => {
    if (typeof found === "string") return;
    await bridge.stop();
    await proxy[Symbol.asyncDispose]();
    // Of an agent of its own nothing is left in any case.
    if (agent.origin.startsWith("NOMAD_ADDR"))
      await forEachJob((id) => nomad.stopJob(id, "default", { purge: true }));
    await agent.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it("reads the jobs by hints, and what is small whole", async () => {
    await until(
      "the jobs are read by hints",
      async () => (await readings()).get("jobs/default") === "hinted",
    );
    expect((await readings()).get("nodes/-")).toBe("lists");
    const said = bridge.lines.filter(
      ({ msg, level }) => level === "info" && msg.startsWith("follows Nomad's event stream"),
    );
    expect(said).toHaveLength(1);
  });

  it("tells a change soon after the stream does, at the price of the object", async () => {
    const list = await fetch(`${agent.address}/v1/jobs`);
    const listBytes = (await list.arrayBuffer()).byteLength;
    const subscriber = await WebSocketClient.connect(`${await bridge.url()}/v1/events?types=jobs`);
    let heard: (event: { key: string }) => void = () => undefined;
    const stream = await followEventStream(agent.address, (event) => heard(event));
    const [streamMs, oursMs]: [number[], number[]] = [[], []];
    const before = proxy.received;
    for (let n = 0; n < CHANGES; n += 1) {
      const id = idOf(n * 100);
      const beganMs = performance.now();
      const streamed = new Promise<void>((resolve) => {
        heard = ({ key }) => {
          if (key !== id) return;
          streamMs.push(performance.now() - beganMs);
          resolve();
        };
      });
      const told = subscriber
        .until(({ text }) => text.includes(`jobs/default/${id}`))
        .then((frames) => {
          oursMs.push(performance.now() - beganMs);
          return frames.at(-1);
        });
      await change(id, `change ${n}`);
      await streamed;
      const event = parseEvent((await told)?.text ?? "{}");
      expect(event.data).toMatchObject({ observed: { via: "hint", mode: "live" } });
    }
    const bytes = (proxy.received - before) / CHANGES;
    stream.stop();
    await subscriber.close();
    const listMs = await listPolls();
    const figures = [`stream ${median(streamMs).toFixed(1)} ms`, `ours ${median(oursMs).toFixed(1)} ms`];
    figures.push(`list ${median(listMs).toFixed(1)} ms`, `${Math.round(bytes)} bytes a change`);
    process.stderr.write(`${JOBS} jobs, write to reader: ${figures.join(", ")}, list ${listBytes} bytes\n`);
    expect(bytes).toBeLessThan(listBytes / 100);
    expect(median(oursMs)).toBeLessThan(median(listMs));
  });

  /** From a write to the list that has it, as who polls lists gets it; ms. */
  async function listPolls(): Promise<number[]> {
    const took: number[] = [];
    let index = "1";
    const list = async (): Promise<void> => {
      const response = await fetch(`${agent.address}/v1/jobs?index=${index}&wait=60s`);
      await response.arrayBuffer();
      index = response.headers.get("x-nomad-index") ?? index;
    };
    await list();
    for (let n = 0; n < LIST_POLLS; n += 1) {
      const polled = list();
      await delay(20);
      const beganMs = performance.now();
      const changed = change(idOf(n * 100 + 1), `poll ${n}`);
      await polled;
      took.push(performance.now() - beganMs);
      await changed;
    }
    return took;
  }

  it("tells some seconds later of a job that Nomad wrote without an event, and then of all such", async () => {
    const [tagged, stable] = [idOf(7), idOf(8)];
    // A tag does not even move the index of the jobs. Nomad has them since 1.9, and takes them for something else before.
    const refusal = await nomad
      .tagVersion(tagged, "default", "tagged")
      .catch((error: Error) => error.message);
    expect(refusal ?? "Job must be specified").toContain("Job must be specified");
    await nomad.setStable(stable, "default", 0);
    const beganMs = performance.now();
    expect(await updateOf(stable)).toMatchObject({ via: "list" });
    const tookMs = performance.now() - beganMs;
    const written = refusal === undefined ? [stable, tagged] : [stable];
    for (const id of written) expect(await updateOf(id)).toMatchObject({ via: "list" });
    process.stderr.write(`a write without an event: told after ${Math.round(tookMs)} ms\n`);
  });

  it("has in the feed at the end what Nomad lists", async () => {
    const verdict = await until(
      "the folded feed is what Nomad lists",
      async () => {
        const now = checkLog(await readLog(file), await nomadTruth(agent.address));
        return now.lost.length === 0 && now;
      },
      60_000,
    );
    expect(verdict).toMatchObject({ duplicated: [], outOfOrder: [] });
  });
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { checkLog, readLog, type SeenEvent } from "../support/feed-check.ts";
import { NomadCluster, type NomadServer } from "../support/nomad-cluster.ts";
import { nomadTruth } from "../support/nomad-truth.ts";
import { NomadWriter } from "../support/nomad-writer.ts";
import { until } from "../support/until.ts";

const { NOMAD_BIN: binary = "", NCF_SAY_LOG = "" } = process.env;
if (binary === "") process.stderr.write("no Nomad servers to stop and start: set NOMAD_BIN\n");

const JOBS = 300;
const AT_ONCE = 16;
const EVERYTHING = "jobs,allocations,deployments,evaluations,nodes,namespaces";
// A scope is read by hints when its list was read since they come: a short wait makes that soon.
const FLAGS = ["--baseline", "events", "--max-event-bytes", "10MiB", "--reading", "hinted", "--wait", "2s"];
const idOf = (n: number): string => `job${String(n).padStart(4, "0")}`;

describe.skipIf(binary === "")("what is read by hints of real Nomad servers", () => {
  let directory: string;
  let file: string;
  let cluster: NomadCluster;
  let bridge: BridgeProcess | undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "ncf-outages-"));
    file = join(directory, "feed.db");
  });
  afterEach(async ({ task }) => {
    for (const { level, msg, name: _, time, ...more } of bridge?.lines ?? [])
      if (NCF_SAY_LOG !== "" && (level !== "debug" || NCF_SAY_LOG === "debug"))
        process.stderr.write(
          `${task.name.slice(0, 20)} ${String(time)} ${level} ${msg} ${JSON.stringify(more)}\n`,
        );
    await bridge?.stop();
    await cluster[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const follow = async (
    address: string,
    { scope = "jobs/default", token = "", resources = EVERYTHING } = {},
  ): Promise<void> => {
    bridge = startBridgeProcess({
      nomadAddr: address,
      env: { NOMAD_TOKEN: token },
      feed: `sqlite:${file}`,
      flags: [...FLAGS, "--resources", resources],
    });
    await bridge.ready();
    await hinted(scope);
  };
  const hinted = (scope = "jobs/default") =>
    until("jobs are read by hints", async () => {
      const response = await fetch(`${await bridge?.url()}/v1/assignments`);
      const { assignments } = (await response.json()) as {
        assignments: { assignment: string; reading?: string | null }[];
      };
      return assignments.some(({ assignment, reading }) => assignment === scope && reading === "hinted");
    });
  const agreed = async ({ address }: NomadServer): Promise<SeenEvent[]> => {
    const check = async () => checkLog(await readLog(file), await nomadTruth(address));
    const verdict = await until(
      "the folded feed is what Nomad lists",
      async () => {
        const now = await check();
        return now.lost.length === 0 && now;
      },
      60_000,
    ).catch(check);
    expect(verdict).toMatchObject({ lost: [], duplicated: [], outOfOrder: [] });
    return readLog(file);
  };
  const resyncs = (events: readonly SeenEvent[]) => events.filter(({ type }) => type === "nomad.feed.resync");
  const forEach = async (from: number, to: number, act: (id: string) => Promise<void>): Promise<void> => {
    let next = from;
    const work = async (): Promise<void> => {
      while (next < to) await act(idOf(next++));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  };
  const register = (nomad: NomadWriter, note: string, from = 0, to = JOBS) =>
    forEach(from, to, (id) => nomad.registerTemplate(id, "default", note));
  const started = async (size = 1): Promise<{ server: NomadServer; nomad: NomadWriter }> => {
    cluster = await NomadCluster.start(binary, { size });
    const server = await cluster.led();
    return { server, nomad: new NomadWriter(server.address) };
  };

  it("is whole after many dead jobs are collected", async () => {
    const { server, nomad } = await started();
    await forEach(0, JOBS, (id) =>
      nomad.registerJob({ id, namespace: "default", count: 1, command: "exit 0", type: "batch" }),
    );
    await follow(server.address);
    await forEach(0, JOBS, (id) => nomad.stopJob(id, "default", { purge: false }));
    await agreed(server);
    await nomad.collectGarbage();
    await until(
      "the jobs are gone",
      async () =>
        ![...(await nomadTruth(server.address)).keys()].some((subject) => subject.startsWith("jobs/")),
    );
    const events = await agreed(server);
    expect(events.filter(({ op, type }) => op === "delete" && type.startsWith("nomad.job."))).toHaveLength(
      JOBS,
    );
    expect(resyncs(events)).toEqual([]);
  });

  it("is whole after the agent was started again", async () => {
    const { server, nomad } = await started();
    await register(nomad, "first");
    await follow(server.address);
    await register(nomad, "second", 0, 20);
    await server.end("SIGINT");
    server.start();
    await cluster.led();
    await register(nomad, "third", 10, 30);
    const events = await agreed(server);
    expect(resyncs(events)).toEqual([]);
    await hinted();
    await register(nomad, "fourth", 40, 41);
    expect((await agreed(server)).at(-1)).toMatchObject({ key: idOf(40), via: "hint" });
  });

  it("tells a restore as one, and is whole after it", async () => {
    const { server, nomad } = await started();
    await register(nomad, "first");
    await follow(server.address);
    const snapshot = await nomad.saveSnapshot();
    await register(nomad, "second", 0, 20);
    await register(nomad, "new", JOBS, JOBS + 5);
    await nomad.stopJob(idOf(50), "default", { purge: true });
    await agreed(server);
    await nomad.restoreSnapshot(snapshot);
    const events = await agreed(server);
    const begun = resyncs(events).filter(({ data }) => data["phase"] === "begin");
    const told = begun.map(({ subject }) => subject);
    expect(told).toContain("feed/jobs/default");
    expect(told).toEqual([...new Set(told)]);
    await hinted();
    await register(nomad, "third", 40, 41);
    expect((await agreed(server)).at(-1)).toMatchObject({ key: idOf(40), via: "hint" });
  });

  it("follows the one namespace that its token may read, and says so once", async () => {
    cluster = await NomadCluster.start(binary, { size: 1, acl: true });
    const { address } = await cluster.led();
    const manager = await until("the bootstrap", () =>
      new NomadWriter(address).bootstrapAcl().catch(() => undefined),
    );
    const nomad = new NomadWriter(address, manager);
    await nomad.createNamespace("own");
    const token = await nomad.createReader("own");
    await nomad.registerTemplate("mine", "own", "first");
    await nomad.registerTemplate("other", "default", "first");
    await follow(address, { scope: "jobs/own", token, resources: "jobs,namespaces" });
    await nomad.registerTemplate("other", "default", "second");
    await nomad.registerTemplate("mine", "own", "second");
    const told = await until("the change", async () =>
      (await readLog(file)).find(({ op }) => op === "update"),
    );
    expect(told).toMatchObject({ subject: "jobs/own/mine", via: "hint" });
    // Lines on a stream name its namespace.
    const said = bridge?.lines.filter(
      ({ msg, level, namespace }) =>
        level !== "debug" && namespace !== undefined && msg.includes("event stream"),
    );
    expect(said).toMatchObject([{ level: "info", namespace: "own" }]);
    expect(said?.[0]?.msg).toMatch(/^follows/);
  });

  it("is whole after the leader was killed, seen by a follower", async () => {
    const { server: leader, nomad } = await started(3);
    await register(nomad, "first");
    const follower = cluster.servers.find((server) => server !== leader) as NomadServer;
    await follow(follower.address);
    await register(nomad, "second", 0, 20);
    await leader.end("SIGKILL");
    await cluster.led();
    await register(new NomadWriter(follower.address), "third", 10, 30);
    const events = await agreed(follower);
    expect(resyncs(events)).toEqual([]);
    await hinted();
    await register(new NomadWriter(follower.address), "fourth", 40, 41);
    expect((await agreed(follower)).at(-1)).toMatchObject({ key: idOf(40), via: "hint" });
  });
});

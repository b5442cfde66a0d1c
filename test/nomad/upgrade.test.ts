import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { NomadCluster } from "../support/nomad-cluster.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const { NOMAD_BIN: binary = "", NOMAD_OLD_BIN: old = "" } = process.env;
const missing =
  binary === "" || old === ""
    ? "set NOMAD_OLD_BIN to a Nomad before 1.10, and NOMAD_BIN to one that is newer"
    : undefined;
/** The feed looks again every one or two minutes. */
const LOOKS_AGAIN_MS = 180_000;

describe.skipIf(missing !== undefined)(`an upgrade of Nomad${skippedBecause(missing)}`, () => {
  let folder: string;
  let cluster: NomadCluster;
  let bridge: BridgeProcess;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ncf-upgrade-"));
    cluster = await NomadCluster.start(old, { size: 1 });
    bridge = startBridgeProcess({
      nomadAddr: cluster.servers[0]?.address ?? "",
      feed: `sqlite:${join(folder, "feed.db")}`,
      flags: ["--resources", "all"],
    });
    await bridge.ready();
  });
  afterAll(async () => {
    await bridge?.stop();
    await cluster?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  const lacking = async (): Promise<string[]> => {
    const answer = await fetch(`${await bridge.url()}/v1/assignments`);
    const { assignments } = (await answer.json()) as {
      assignments: { assignment: string; condition: string }[];
    };
    return assignments
      .filter(({ condition }) => condition === "unsupported")
      .map(({ assignment }) => assignment.replace(/\/.*/, ""))
      .toSorted();
  };

  it("is noticed by a bridge that runs: it finds the kinds of objects that are new", async () => {
    const volumes = ["host-volume-claims", "host-volumes"];
    expect(await lacking()).toEqual(expect.arrayContaining(volumes));
    const told = bridge.lines.filter(({ msg }) => msg.startsWith("host-volumes not watched"));
    expect(told).toHaveLength(1);
    const [server] = cluster.servers;
    await server?.end("SIGINT");
    server?.start(binary);
    await cluster.led();
    await until(
      "the new kinds are watched",
      async () => !(await lacking()).some((kind) => volumes.includes(kind)),
      LOOKS_AGAIN_MS,
    );
    expect(await lacking()).toContain("quotas");
  });
});

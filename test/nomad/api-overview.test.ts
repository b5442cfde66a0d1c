import { mkdtemp, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNomadClient, type NomadClient } from "../../src/nomad/client.ts";
import { NomadError } from "../../src/nomad/errors.ts";
import { resolveNomadOptions, type RawNomadOptions } from "../../src/nomad/options.ts";
import type { ResourceType } from "../../src/schemas/resources.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { startBridgeProcess } from "../support/bridge-process.ts";
import { readLog } from "../support/feed-check.ts";
import { NomadCluster } from "../support/nomad-cluster.ts";
import { NomadWriter } from "../support/nomad-writer.ts";
import { until } from "../support/until.ts";

const { NOMAD_BIN: binary = "" } = process.env;
if (binary === "") process.stderr.write("no Nomad servers to ask: set NOMAD_BIN\n");

const NOBODY = "00000000-0000-4000-8000-000000000000";
const { signal } = new AbortController();

/** What docs/nomad-api.md says, statement by statement, where it takes a server that means it. */
describe.skipIf(binary === "")("what Nomad's API overview says, of real servers", () => {
  let home: NomadCluster;
  let away: NomadCluster;
  const clients: NomadClient[] = [];
  beforeAll(async () => {
    home = await NomadCluster.start(binary, { size: 3 });
    away = await NomadCluster.start(binary, { size: 1, region: "east" });
    await home.join(away);
    const regions = async () => (await client({}).regions(signal)).length === 2;
    await until("the regions know each other", regions);
  });
  afterAll(async () => {
    for (const each of clients) await each[Symbol.asyncDispose]();
    await home[Symbol.asyncDispose]();
    await away[Symbol.asyncDispose]();
  });

  function client(options: RawNomadOptions): NomadClient {
    const addresses = [home.servers[0]?.address ?? ""];
    const made = createNomadClient(resolveNomadOptions({ addresses, ...options }), {
      logger: silentLogger(),
      clock: systemClock,
    });
    clients.push(made);
    return made;
  }
  const list = (options: RawNomadOptions, resource: ResourceType = "jobs", namespace = "default") =>
    client(options).list({ resource, namespace, signal });
  const refusal = async (
    asked: Promise<unknown>,
  ): Promise<{ code: string; status: number | undefined; retryable: boolean }> => {
    const error: unknown = await asked.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof NomadError)) throw new Error(`no NomadError: ${String(error)}`);
    return { code: error.code, status: error.status, retryable: error.retryable };
  };

  it("cross-region requests: a server that is not in the region passes them on, with that region's indexes", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ncf-regions-"));
    const file = join(folder, "feed.db");
    const bridge = startBridgeProcess({
      nomadAddr: home.servers[0]?.address ?? "",
      feed: `sqlite:${file}`,
      flags: ["--nomad-region", "east"],
    });
    try {
      await bridge.ready();
      await new NomadWriter(away.servers[0]?.address ?? "").registerTemplate("in-the-east", "default", "x");
      await new NomadWriter(home.servers[0]?.address ?? "").registerTemplate("at-home", "default", "x");
      const seen = await until("the job is seen", async () => {
        const events = await readLog(file);
        return events.some(({ subject }) => subject === "jobs/default/in-the-east") && events;
      });
      const about = (await (await fetch(`${await bridge.url()}/v1/about`)).json()) as { source: string };
      expect(about.source).toBe("nomad://nomad/east");
      expect(seen.filter(({ subject }) => subject === "jobs/default/at-home")).toEqual([]);
    } finally {
      await bridge.stop();
      await rm(folder, { recursive: true });
    }
  });

  it("cross-region requests: a region that nobody knows is an error that names it", async () => {
    expect(await refusal(list({ region: "nowhere" }))).toEqual({
      code: "NOMAD_NO_REGION",
      status: 500,
      retryable: true,
    });
  });

  it("response codes: 400 for what it does not understand, 404 for what is not there, 501 for Enterprise", async () => {
    const answer = async (path: string) => (await fetch(`${home.servers[0]?.address}${path}`)).status;
    expect(await answer("/v1/jobs?index=x")).toBe(400);
    expect(
      await refusal(client({}).list({ resource: "jobs", namespace: "default", filter: "x =", signal })),
    ).toMatchObject({
      code: "NOMAD_BAD_REQUEST",
      status: 400,
      retryable: false,
    });
    expect(await client({}).namespacePresence("nowhere", signal)).toBe("absent");
    expect(await answer("/v1/no-endpoint")).toBe(404);
    expect((await fetch(`${home.servers[0]?.address}/v1/jobs`, { method: "HEAD" })).status).toBe(405);
    expect(await answer("/v1/quotas")).toBe(501);
  });

  it("response codes: 403 for a token without the right or unknown, whatever the namespace", async () => {
    const guarded = await NomadCluster.start(binary, { size: 1, acl: true });
    try {
      const addresses = [guarded.servers[0]?.address ?? ""];
      const refused = { code: "NOMAD_FORBIDDEN", status: 403, retryable: false };
      expect(await refusal(list({ addresses }))).toEqual(refused);
      expect(await refusal(list({ addresses, token: NOBODY }))).toEqual(refused);
      expect(await refusal(list({ addresses, token: NOBODY }, "nodes", "-"))).toEqual(refused);
    } finally {
      await guarded[Symbol.asyncDispose]();
    }
  });

  it("response codes: 429, or a reset, beyond the connections of one address, and it is tried again", async () => {
    const narrow = await NomadCluster.start(binary, { size: 1, connections: 3 });
    const address = narrow.servers[0]?.address ?? "";
    const { port } = new URL(address);
    const held = Array.from({ length: 3 }, () => new Socket().connect(Number(port), "127.0.0.1"));
    try {
      const refused = await until("it refuses", () =>
        refusal(list({ addresses: [address] })).catch(() => undefined),
      );
      expect(["NOMAD_TOO_MANY_CONNECTIONS", "NOMAD_UNREACHABLE"]).toContain(refused.code);
      expect(refused.retryable).toBe(true);
      for (const socket of held) socket.destroy();
      await until("it answers again", () =>
        list({ addresses: [address] }).then(
          () => true,
          () => false,
        ),
      );
    } finally {
      await narrow[Symbol.asyncDispose]();
    }
  });

  it("consistency modes: stale answers say how long they are without a leader, and are not believed without one", async () => {
    const { addresses } = { addresses: [home.servers[0]?.address ?? ""] };
    const stale = await list({ addresses, consistency: "stale" });
    expect(stale.consistency).toBe("stale");
    expect(stale.knownLeader).toBe(true);
    for (const server of home.servers.slice(1)) await server.end("SIGKILL");
    const plain = async () =>
      (await fetch(`${addresses[0]}/v1/jobs?stale`)).headers.get("x-nomad-knownleader");
    await until("the one that is left knows no leader", async () => (await plain()) === "false");
    const refused = await refusal(list({ addresses, consistency: "stale" }));
    expect(refused).toMatchObject({ code: "NOMAD_STALE_RESPONSE", retryable: true });
    expect(await refusal(list({ addresses }))).toMatchObject({ code: "NOMAD_NO_LEADER", retryable: true });
    for (const server of home.servers.slice(1)) server.start();
    await home.led();
    expect((await list({ addresses })).knownLeader).toBe(true);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolveConfig } from "../../src/config/resolve.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findGuardedNomadAgent } from "../support/nomad-agent.ts";
import { NomadWriter } from "../support/nomad-writer.ts";
import { startBridge, type StartedBridge } from "../support/started-bridge.ts";
import { until } from "../support/until.ts";

const found = await findGuardedNomadAgent(process.env);
const origin = typeof found === "string" ? `skipped: ${found}` : found.origin;
const JOB = `ncf-actor-${process.pid}`;

interface Told {
  readonly type: string;
  readonly data: {
    readonly actor?: { readonly kind: string; readonly id: string; readonly name?: string };
    readonly signals: readonly string[];
  };
}

describe.skipIf(typeof found === "string")(`who did it, by a real Nomad (${origin})`, () => {
  const agent = found as Exclude<typeof found, string>;
  let folder: string;
  let bridge: StartedBridge;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ncf-actors-"));
    const flags = {
      nomadAddr: agent.address,
      nomadToken: agent.token,
      feed: `sqlite:${join(folder, "feed.db")}`,
      listen: "127.0.0.1:0",
      enrich: "actor",
    };
    bridge = await startBridge(resolveConfig({ flags, env: {} }).config, { logger: silentLogger() });
    await bridge.ready();
  });
  afterAll(async () => {
    await bridge.stop();
    await agent.stop();
    await rm(folder, { recursive: true });
  });

  const told = async (types: string, filter: string): Promise<Told[]> => {
    const query = new URLSearchParams({ cursor: "earliest", types, filter });
    const response = await fetch(`${bridge.url}/v1/events?${query.toString()}`);
    return ((await response.json()) as Told[]).filter(({ data }) => data.signals !== undefined);
  };
  const send = async (
    method: string,
    path: string,
    body: unknown,
  ): Promise<{ AccessorID: string; SecretID: string }> => {
    const response = await fetch(`${agent.address}${path}`, {
      method,
      headers: { "x-nomad-token": agent.token },
      body: JSON.stringify(body),
    });
    return (await response.json()) as { AccessorID: string; SecretID: string };
  };

  it("names the token that registered a job, and not whoever scaled or stopped it", async () => {
    const token = await send("POST", "/v1/acl/token", { Name: "deploy-ci", Type: "management" });
    const theirs = new NomadWriter(agent.address, token.SecretID);
    const ours = new NomadWriter(agent.address, agent.token);
    const filter = `ID == "${JOB}"`;
    const versions = async (more: string) => told("jobs", `${filter} and ${more}`);
    await theirs.registerJob({ id: JOB, namespace: "default", count: 1, command: "exec sleep 3600" });
    const [created] = await until("it is told", async () => {
      const events = await versions("actor is not nil");
      return events.length > 0 && events;
    });
    expect(created?.data.actor).toEqual({
      kind: "token",
      id: token.AccessorID,
      name: "deploy-ci",
      basis: "job-register",
    });
    // Not while its first deployment is under way.
    await until("it can be scaled", () =>
      ours.scale(JOB, "default", 2).then(
        () => true,
        () => false,
      ),
    );
    await until(
      "the scaling is told",
      async () => (await versions('"/JobModifyIndex" in changes')).length > 0,
    );
    await ours.stopJob(JOB, "default", { purge: false });
    await until("the stop is told", async () => (await versions("Stop == true")).length > 0);
    expect(await versions("actor is not nil")).toHaveLength(1);
  });

  it("names the token that drains a node, and not Nomad when the drain is over", async () => {
    const token = await send("POST", "/v1/acl/token", { Name: "ops", Type: "management" });
    const theirs = new NomadWriter(agent.address, token.SecretID);
    const node = await until("there is a node", async () => {
      const nodes = await fetch(`${agent.address}/v1/nodes`, { headers: { "x-nomad-token": agent.token } });
      return ((await nodes.json()) as { ID: string; Status: string }[]).find(
        ({ Status }) => Status === "ready",
      )?.ID;
    });
    await theirs.drainNode(node);
    const over = await until("the drain is over", async () => {
      const events = await told("nodes", '"node.drain_complete" in signals');
      return events.length > 0 && events;
    });
    expect(over.every(({ data }) => data.actor === undefined)).toBe(true);
    await theirs.endDrain(node);
    const [begun] = await told("nodes", '"node.draining" in signals');
    expect(begun?.data.actor).toEqual({ kind: "token", id: token.AccessorID, basis: "drain" });
  });
});

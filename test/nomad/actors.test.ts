import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findGuardedNomadAgent } from "../support/nomad-agent.ts";
import { NomadWriter } from "../support/nomad-writer.ts";
import { until } from "../support/until.ts";
import { watchAgent, type WatchedAgent } from "../support/watched-agent.ts";

const found = await findGuardedNomadAgent(process.env);
const origin = typeof found === "string" ? `skipped: ${found}` : found.origin;
const JOB = `ncf-actor-${process.pid}`;

describe.skipIf(typeof found === "string")(`who did it, by a real Nomad (${origin})`, () => {
  const agent = found as Exclude<typeof found, string>;
  let watched: WatchedAgent;
  beforeAll(async () => {
    watched = await watchAgent(agent, { enrich: "actor" });
  });
  afterAll(() => watched[Symbol.asyncDispose]());

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
    const versions = async (more: string) => watched.told("jobs", `${filter} and ${more}`);
    await theirs.registerJob({ id: JOB, namespace: "default", count: 1, command: "exec sleep 3600" });
    const [created] = await until("it is told", async () => {
      const events = await versions("actor is not nil");
      return events.length > 0 && events;
    });
    expect(created?.actor).toEqual({
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

  it("names who registered each version, however fast they follow each other", async () => {
    const id = `${JOB}-fast`;
    const tokens = await Promise.all(
      Array.from({ length: 5 }, () => send("POST", "/v1/acl/token", { Name: "ci", Type: "management" })),
    );
    await Promise.all(
      tokens.map(({ SecretID }, at) =>
        new NomadWriter(agent.address, SecretID).registerJob({
          id,
          namespace: "default",
          count: 0,
          command: `exit ${at}`,
        }),
      ),
    );
    const told = await until("each is told", async () => {
      const events = await watched.told("jobs", `resource.id == "${id}" and actor is not nil`);
      return events.length >= tokens.length && events;
    });
    expect(new Set(told.map(({ actor }) => actor?.id))).toEqual(
      new Set(tokens.map(({ AccessorID }) => AccessorID)),
    );
    expect(told).toHaveLength(tokens.length);
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
      const events = await watched.told("nodes", '"node.drain_complete" in signals');
      return events.length > 0 && events;
    });
    expect(over.every(({ actor }) => actor === undefined)).toBe(true);
    await theirs.endDrain(node);
    const [begun] = await watched.told("nodes", '"node.draining" in signals');
    expect(begun?.actor).toEqual({ kind: "token", id: token.AccessorID, basis: "drain" });
  });
});

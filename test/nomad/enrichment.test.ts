import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findGuardedNomadAgent } from "../support/nomad-agent.ts";
import { NomadWriter } from "../support/nomad-writer.ts";
import { until } from "../support/until.ts";
import { watchAgent, type WatchedAgent } from "../support/watched-agent.ts";

const found = await findGuardedNomadAgent(process.env);
const origin = typeof found === "string" ? `skipped: ${found}` : found.origin;
const JOB = `ncf-depth-${process.pid}`;

describe.skipIf(typeof found === "string")(`more than the lists say, from a real Nomad (${origin})`, () => {
  const agent = found as Exclude<typeof found, string>;
  let watched: WatchedAgent;
  let writer: NomadWriter;
  beforeAll(async () => {
    writer = new NomadWriter(agent.address, agent.token);
    watched = await watchAgent(agent, { enrich: "spec,logs,node" });
  });
  afterAll(() => watched[Symbol.asyncDispose]());

  const told = () => watched.told("jobs", `ID == "${JOB}"`);
  const specs = async () =>
    (await told()).flatMap(({ spec }) => (spec === undefined || "unavailable" in spec ? [] : [spec]));

  it("says of each version what it changed, each once, also of those that no poll saw", async () => {
    const register = (command: string) =>
      writer.registerJob({ id: JOB, namespace: "default", count: 0, command });
    await register("exit 0");
    await until("it is told", async () => (await specs()).length > 0);
    for (const command of ["exit 1", "exit 2", "curl -H 'Authorization: Bearer abc'"])
      await register(command);
    const versions = await until("the last version is told", async () => {
      const list = await specs();
      return list.some(({ version }) => version === 3) && list;
    });
    expect(versions.map(({ version }) => version)).toEqual([0, 1, 2, 3]);
    const skipped = (await told()).filter(({ op }) => op === "version");
    expect(skipped.every(({ observed, rev }) => observed.skipped && rev.current === null)).toBe(true);
    const path = "/TaskGroups/g/Tasks/t/Config/args/1";
    const changeOf = (wanted: number) =>
      versions
        .find(({ version }) => version === wanted)
        ?.diff?.changes.find((change) => change.path === path);
    expect(changeOf(1)).toEqual({ path, kind: "edited", old: "exit 0", new: "exit 1" });
    expect(changeOf(3)).toMatchObject({ new: "[redacted]" });
    expect(versions.find(({ version }) => version === 3)?.redacted).toEqual([path]);
  });

  it.each([
    ["little", "echo first >&2; echo last >&2; exit 3", ["first", "last"]],
    [
      "much",
      "for i in $(seq 2000); do echo line number $i >&2; done; exit 3",
      Array.from({ length: 20 }, (_, at) => `line number ${1981 + at}`),
    ],
    ["nothing", "exit 3", []],
  ])("says what a task wrote last that wrote %s before it failed", async (name, command, lines) => {
    const id = `${JOB}-${name}`;
    await writer.registerJob({ id, namespace: "default", count: 1, command, type: "batch" });
    const [failed] = await until("the failure is told", async () => {
      const events = await watched.told("allocations", `JobID == "${id}" and "allocation.failed" in signals`);
      return events.length > 0 && events;
    });
    expect(failed?.log).toEqual({ task: "t", stream: "stderr", exitCode: 3, lines });
  });

  it("says a node's own events, and what changed in its meta since it was read", async () => {
    const ask = async (method: string, path: string, body?: object) => {
      const response = await fetch(agent.address + path, {
        method,
        headers: { "x-nomad-token": agent.token },
        ...(body && { body: JSON.stringify(body) }),
      });
      if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
      return response.json();
    };
    const [{ ID: id } = { ID: "" }] = (await ask("GET", "/v1/nodes")) as { readonly ID: string }[];
    const details = async () =>
      (await watched.told("nodes", `ID == "${id}"`)).flatMap(({ node }) =>
        node === undefined || "unavailable" in node ? [] : [node],
      );
    await ask("POST", `/v1/node/${id}/eligibility`, { Eligibility: "ineligible" });
    await until("the node's event is told", async () =>
      (await details()).some(({ events }) => events.some(({ message }) => /ineligible/.test(message))),
    );
    await ask("POST", `/v1/client/metadata?node_id=${id}`, { Meta: { rack: "r7", api_token: "hunter2" } });
    const changes = await until("the change of its meta is told", async () => {
      const all = (await details()).flatMap((node) => node.changes ?? []);
      return all.length > 0 && all;
    });
    expect(changes).toContainEqual({ path: "/Meta/rack", to: "r7" });
    expect(changes).toContainEqual({ path: "/Meta/api_token", to: "[redacted]" });
    await ask("POST", `/v1/node/${id}/eligibility`, { Eligibility: "eligible" });
  });
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRandom } from "../../packages/nomad-simulator/src/random.ts";
import { foreignClients, RunningClient, type ClientEvent } from "../support/event-client.ts";
import { findGuardedNomadAgent } from "../support/nomad-agent.ts";
import { NomadChurn } from "../support/nomad-churn.ts";
import { NomadWriter } from "../support/nomad-writer.ts";
import { RawEventStream } from "../support/raw-event-stream.ts";
import { startStandIn, type StandIn } from "../support/stand-in.ts";
import { until } from "../support/until.ts";

const found = await findGuardedNomadAgent(process.env);
const origin = typeof found === "string" ? `skipped: ${found}` : found.origin;
const OPERATIONS = 60;

interface Allocation {
  readonly JobID: string;
  readonly ClientStatus: string;
}

const isComplete = ({ JobID, ClientStatus }: Allocation) => JobID === "ends" && ClientStatus === "complete";

/**
 * Nomad's broker notes in an evaluation that was handed back how long it rests, after the event: whoever hears that later is
 * told it.
 */
function comparable<T>(events: readonly T[]): T[] {
  return JSON.parse(JSON.stringify(events), function (this: object, name, value: unknown) {
    return name === "Wait" && "TriggeredBy" in this ? undefined : value;
  }) as T[];
}

/** Such as "1.9.7". */
async function versionOf({ address, token }: { address: string; token: string }): Promise<string> {
  const answer = await fetch(`${address}/v1/agent/self`, { headers: { "x-nomad-token": token } });
  return ((await answer.json()) as { config: { Version: { Version: string } } }).config.Version.Version;
}

describe.skipIf(typeof found === "string")(`in place of the event stream of a real Nomad (${origin})`, () => {
  const agent = found as Exclude<typeof found, string>;
  let folder: string;
  let standIn: StandIn;
  const start = async (flags: Record<string, string> = {}) => {
    const nomadToken = agent.token;
    standIn = await startStandIn({ nomadAddr: agent.address, folder, flags: { nomadToken, ...flags } });
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ncf-stand-in-"));
    await start();
  });
  afterAll(async () => {
    await standIn.stop();
    await agent.stop();
    await rm(folder, { recursive: true });
  });

  it("says everything that Nomad says, and nothing else, to it and to clients of others", async () => {
    const headers = { "x-nomad-token": agent.token };
    const clients = foreignClients().filter(({ lacks }) => lacks === undefined);
    const writer = new NomadWriter(agent.address, agent.token);
    const churn = new NomadChurn(writer, createRandom(7), "ncf-stand-in");
    const operate = async (times: number) => {
      for (let done = 0; done < times; done += 1) await churn.next();
    };
    // Nomad's own stream never hears of namespaces that come later, but of those that come again.
    for (const name of ["a", "b", "c"]) await writer.createNamespace(`ncf-stand-in-${name}`);
    await operate(OPERATIONS);
    for (const name of ["a", "b", "c"]) await writer.createNamespace(`ncf-stand-in-${name}`);
    using theirs = await RawEventStream.open(agent.address, "namespace=*", headers);
    using ours = await RawEventStream.open(standIn.address, "namespace=*", headers);
    const address = { theirs: agent.address, ours: standIn.address };
    const pairs = clients.map((client) => {
      const run = (side: "theirs" | "ours") =>
        new RunningClient(client, { address: address[side], token: agent.token });
      return { client, theirs: run("theirs"), ours: run("ours") };
    });
    await operate(OPERATIONS);
    await churn.end();
    const last = await until("both are at the end", () => {
      const end = theirs.indexes.at(-1);
      return end !== undefined && end === ours.indexes.at(-1) && end;
    });
    const begin = Math.max(theirs.indexes[0] ?? 0, ours.indexes[0] ?? 0);
    const since = ({ frames }: RawEventStream) =>
      comparable(frames.map((line) => JSON.parse(line) as { Index: number })).filter(
        ({ Index }) => Index >= begin,
      );
    expect(since(theirs).length).toBeGreaterThan(OPERATIONS);
    expect(since(ours)).toEqual(since(theirs));
    for (const pair of pairs) {
      const isAtEnd = ({ events }: RunningClient) => (events.at(-1)?.Index ?? 0) >= last;
      await until(`${pair.client.name} is at the end`, () => isAtEnd(pair.theirs) && isAtEnd(pair.ours));
      const first = Math.max(pair.theirs.events[0]?.Index ?? 0, pair.ours.events[0]?.Index ?? 0);
      const told = ({ events }: RunningClient) =>
        comparable(events.filter(({ Index }) => Index >= first && Index <= last));
      expect(told(pair.theirs).length).toBeGreaterThan(OPERATIONS);
      expect(told(pair.ours)).toEqual(told(pair.theirs));
      pair.theirs[Symbol.dispose]();
      pair.ours[Symbol.dispose]();
    }
  });

  it("has after its own restart what Nomad's buffer of a hundred has not", async () => {
    const headers = { "x-nomad-token": agent.token };
    using before = await RawEventStream.open(standIn.address, "namespace=*", headers);
    await until("it has a hundred", () => before.frames.length >= 100);
    // Nomad says some indexes in two frames, and the hundred may begin between them.
    const [cut = 0] = before.indexes;
    const begin = before.indexes.findIndex((index) => index > cut);
    const first = before.indexes[begin];
    const told = before.frames.slice(begin, 100);
    expect(told.length).toBeGreaterThan(90);
    await standIn.stop();
    await start();
    const writer = new NomadWriter(agent.address, agent.token);
    const churn = new NomadChurn(writer, createRandom(8), "ncf-stand-in");
    for (let done = 0; done < OPERATIONS; done += 1) await churn.next();
    await churn.end();
    using after = await RawEventStream.open(standIn.address, `namespace=*&index=${first}`, headers);
    await until("all comes again", () => after.frames.length >= told.length);
    expect(after.frames.slice(0, told.length)).toEqual(told);
    expect(after.headers["x-changefeed-gap"]).toBeUndefined();
  });

  it("denies as Nomad does", async () => {
    const writer = new NomadWriter(agent.address, agent.token);
    const tokens = [
      "00000000-0000-0000-0000-000000000000",
      "garbage",
      await writer.createReader("elsewhere"),
    ];
    const version = await versionOf(agent);
    const without = standIn;
    // What is made up for a version is what that version does.
    const made = await mkdtemp(join(tmpdir(), "ncf-stand-in-"));
    const madeUp = await startStandIn({
      nomadAddr: agent.address,
      folder: made,
      flags: { nomadToken: agent.token, compatVersion: version },
    });
    const denied = [{}, ...tokens.map((token) => ({ "x-nomad-token": token }))].flatMap((headers) =>
      ["Job", "ACLToken"].map((topic) => [headers, `topic=${topic}`] as const),
    );
    // Since 1.11.2 a denied stream is left open for a while, and takes one of a client's 100 connections: few, at once.
    await Promise.all(
      denied.map(async ([headers, query]) => {
        using theirs = await RawEventStream.open(agent.address, query, headers);
        const answerOf = ({ status, headers: head, lines }: RawEventStream) => [
          query,
          status,
          { ...head, date: "date" in head },
          lines,
        ];
        for (const address of [without.address, madeUp.address]) {
          using ours = await RawEventStream.open(address, query, headers);
          await until("it ends", () => ours.hasEnded && (theirs.hasEnded || theirs.status === 200));
          expect(answerOf(ours)).toEqual(answerOf(theirs));
        }
      }),
    );
    await madeUp.stop();
    await rm(made, { recursive: true });
  });

  it("tells with --compat-extra what was collected, and clients of others take it", async () => {
    await standIn.stop();
    await start({ compatExtra: "all" });
    await standIn.ready();
    const headers = { "x-nomad-token": agent.token };
    const topics = ["Allocation:*", "Evaluation:*", "Job:*", "Namespace:*"];
    const clients = foreignClients().filter(({ lacks }) => lacks === undefined);
    const ours = clients.map(
      (client) => new RunningClient(client, { address: standIn.address, token: agent.token, topics }),
    );
    using theirs = await RawEventStream.open(agent.address, "namespace=*", headers);
    const writer = new NomadWriter(agent.address, agent.token);
    await writer.createNamespace("ncf-extra");
    await writer.registerJob({ id: "ends", namespace: "default", count: 1, command: "true", type: "batch" });
    const heard = (events: readonly ClientEvent[], type: string) =>
      events.filter(({ Type }) => Type === type).map(({ Key }) => Key);
    const eventsOf = ({ frames }: RawEventStream) =>
      frames.flatMap((line) => (JSON.parse(line) as { Events: ClientEvent[] }).Events);
    const ended = await until("its allocation is complete", () =>
      eventsOf(theirs).find(
        ({ Topic, Payload }) =>
          Topic === "Allocation" && isComplete((Payload as { Allocation: Allocation }).Allocation),
      ),
    );
    // What comes and goes between two looks of the feed is not known to it.
    await until("the feed has it", async () =>
      (await (await fetch(`${standIn.url}/v1/state?types=allocations`)).text()).includes(ended.Key),
    );
    // python-nomad hands a line on once there are 512 bytes: what comes last needs something behind it.
    const moveOn = () => writer.registerTemplate("moves-on", "default", String(performance.now()));
    await until("it is collected, and that is told", async () => {
      await writer.collectGarbage();
      await moveOn();
      return ours.every(({ events }) => heard(events, "AllocationRemoved").includes(ended.Key));
    });
    await writer.deleteNamespace("ncf-extra");
    for (const { events } of ours) {
      await until("the end of the namespace is told", async () => {
        await moveOn();
        return heard(events, "NamespaceRemoved").includes("ncf-extra");
      });
      expect(heard(events, "NamespaceAdded")).toContain("ncf-extra");
      expect(heard(events, "EvaluationRemoved").length).toBeGreaterThan(0);
      const indexes = events.map(({ Index }) => Index);
      expect(indexes).toEqual(indexes.toSorted((a, b) => a - b));
    }
    expect(eventsOf(theirs).filter(({ Type }) => /(Removed|Added|Changed)$/.test(Type))).toEqual([]);
    for (const client of ours) client[Symbol.dispose]();
  });
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RawEventStream } from "../support/raw-event-stream.ts";
import { simulatedNomad, type SimulatedNomad } from "../support/simulated-nomad.ts";
import { startStandIn, type StandIn } from "../support/stand-in.ts";
import { until } from "../support/until.ts";

interface FrameEvent {
  readonly Topic: string;
  readonly Type: string;
  readonly Key: string;
  readonly Namespace: string;
  readonly Index: number;
  readonly FilterKeys: readonly string[] | null;
  readonly Payload: Record<string, unknown>;
}

let folder: string;
let nomad: SimulatedNomad;
let standIn: StandIn;
let streams: RawEventStream[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ncf-extra-"));
  streams = [];
});
afterEach(async () => {
  for (const stream of streams) stream[Symbol.dispose]();
  await standIn.stop();
  await nomad[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function start(compatExtra: string): Promise<void> {
  const { managementToken } = nomad.simulator;
  const token = managementToken === undefined ? {} : { nomadToken: managementToken.secretId };
  standIn = await startStandIn({ nomadAddr: nomad.url, folder, flags: { compatExtra, ...token } });
  await standIn.ready();
}

async function open(query: string, token?: string): Promise<RawEventStream> {
  const headers = token === undefined ? {} : { "x-nomad-token": token };
  const stream = await RawEventStream.open(standIn.address, query, headers);
  streams.push(stream);
  return stream;
}

const eventsIn = (frames: readonly string[]) =>
  frames.flatMap((line) => (JSON.parse(line) as { Events: FrameEvent[] }).Events);
const isExtra = ({ Type }: FrameEvent) => /(Removed|Added|Changed)$/.test(Type);
const extrasOf = ({ frames }: RawEventStream) => eventsIn(frames).filter(isExtra);
const named = ({ Type, Key }: FrameEvent) => `${Type} ${Key}`;

/** Purges a job that was there from the beginning. Answers one of its allocations, which goes with it. */
function purgeOne(namespace = "default"): { readonly allocation: string; readonly job: string } {
  const { cluster } = nomad.simulator;
  const found = [...cluster.state.tables.allocations.values()].find((row) => row.namespace === namespace);
  if (found === undefined) throw new Error(`there is no allocation in ${namespace}`);
  cluster.purgeJob(namespace, found.stub.JobID);
  return { allocation: found.key, job: found.stub.JobID };
}

describe("what Nomad's event stream never tells, for those who ask", () => {
  it("comes once, in order, over a restart too, and nobody else hears of it", async () => {
    nomad = await simulatedNomad({ seed: 3, allocations: 10 });
    await start("asked");
    const { cluster } = nomad.simulator;
    const plain = await open("namespace=*");
    const asked = await open("namespace=*&extra=true");
    cluster.createNamespace("later");
    const first = purgeOne().allocation;
    await until("the allocation of the purged job is gone", () =>
      extrasOf(asked).some(({ Key }) => Key === first),
    );
    expect(extrasOf(asked).map(named)).toContain("NamespaceAdded later");

    await standIn.stop();
    const { allocation: second, job } = purgeOne();
    cluster.deleteNamespace("later");
    await start("asked");
    const last = asked.indexes.at(-1) ?? 0;
    const again = await open(`namespace=*&extra=true&index=${last}`);
    await until("what went meanwhile is told", () => {
      const told = extrasOf(again).map(named);
      return told.includes(`AllocationRemoved ${second}`) && told.includes("NamespaceRemoved later");
    });

    const whole = await open("namespace=*&extra=true&index=1");
    await until("all is there", () => whole.indexes.at(-1) === again.indexes.at(-1));
    const told = extrasOf(whole).map(named);
    expect(told).toEqual([...new Set(told)]);
    expect(told).toEqual(expect.arrayContaining(extrasOf(asked).map(named)));
    expect(whole.indexes).toEqual(whole.indexes.toSorted((a, b) => a - b));
    for (const { Index, Payload } of extrasOf(whole)) {
      expect(whole.indexes).toContain(Index);
      expect(Payload["Stub"]).toBe(true);
    }
    const gone = extrasOf(whole).find(({ Key }) => Key === second);
    expect(gone).toMatchObject({ Topic: "Allocation", Namespace: "default", FilterKeys: [job] });
    expect(gone?.Payload).toMatchObject({ Deleted: true, Allocation: { ID: second, JobID: job } });

    const others = await open("namespace=*&index=1");
    await until("who did not ask has all of Nomad's", () => others.frames.length > plain.frames.length);
    const nomads = whole.frames.filter((line) => !eventsIn([line]).some(isExtra));
    await until("and has as many", () => others.frames.length === nomads.length);
    expect(others.frames).toEqual(nomads);
    expect(plain.frames).toEqual(nomads.slice(0, plain.frames.length));
  });

  it("names a node that is collected, and not one that somebody purges: of that Nomad tells", async () => {
    nomad = await simulatedNomad({ seed: 4, nodes: 3 });
    await start("all");
    const { cluster } = nomad.simulator;
    const [purged = "", collected = ""] = [...cluster.state.tables.nodes.values()].map(({ key }) => key);
    const stream = await open("topic=Node");
    const without = await open("topic=Node&extra=false");
    cluster.removeNode(purged);
    cluster.setNodeStatus(collected, "down");
    cluster.gc();
    await until("the node is told of", () => extrasOf(stream).length > 0);
    expect(extrasOf(stream).map(named)).toEqual([`NodeRemoved ${collected}`]);
    expect(eventsIn(stream.frames).map(named)).toContain(`NodeDeregistration ${purged}`);
    expect(extrasOf(without)).toEqual([]);
    expect((await open("extra=maybe")).status).toBe(400);
  });

  it("is for those alone who may have the topic and the namespace", async () => {
    nomad = await simulatedNomad({ seed: 5, acl: true, allocations: 20, namespaces: ["secret"] });
    await start("all");
    const { acl, managementToken } = nomad.simulator;
    acl.setPolicy("reader", { namespaces: { default: "read" } });
    const reader = acl.createToken({ policies: ["reader"] }).secretId;
    const theirs = await open("topic=Allocation&topic=Evaluation&topic=Deployment", reader);
    const namespaces = await open("topic=Namespace&namespace=*", reader);
    const all = await open("namespace=*", managementToken?.secretId);
    const hidden = purgeOne("secret").allocation;
    const seen = purgeOne().allocation;
    const keys = (stream: RawEventStream) => extrasOf(stream).map(({ Key }) => Key);
    await until("both are told of", () => keys(all).includes(hidden) && keys(theirs).includes(seen));
    expect(extrasOf(theirs).map(({ Namespace }) => Namespace)).not.toContain("secret");
    await until("who may not hear of namespaces hears nothing", () => namespaces.hasEnded);
    expect(namespaces.lines).toEqual([]);
  });
});

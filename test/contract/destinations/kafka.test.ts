import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import {
  AclOperations,
  AclPermissionTypes,
  ConfigResourceTypes,
  IncrementalAlterConfigOperationTypes,
  ResourcePatternTypes,
  ResourceTypes,
} from "@platformatic/kafka";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Destination, SendResult } from "../../../src/publishers/delivery/destination.ts";
import { openDestination } from "../../../src/publishers/destinations.ts";
import { kafkaSettingsSchema } from "../../../src/schemas/destinations/kafka.ts";
import { jsonText } from "../../../src/schemas/line-safe.ts";
import { KafkaBroker, kafkaMissing, type Consumed } from "../../support/kafka-broker.ts";
import { outgoing } from "../../support/outgoing.ts";
import { freePort } from "../../support/redis-server.ts";
import { skippedBecause } from "../../support/skipped.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import { destinationContract, type Arrived, type Counterpart } from "./register-destination.ts";
import { destinationDeps } from "../../support/destination-deps.ts";

const USER = { name: "feed", password: "not-for-your-eyes" };
const why = kafkaMissing();

/** One broker for all: it takes its seconds to start. Each test has a topic of its own. */
describe.skipIf(why !== undefined)(`on a real Kafka${skippedBecause(why)}`, () => {
  let broker: KafkaBroker;
  let proxy: TcpProxy;
  let topics = 0;
  beforeAll(async () => {
    const signed = await freePort();
    proxy = await TcpProxy.to(signed);
    broker = await KafkaBroker.start({ signed, advertised: proxy.port }, USER);
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await broker[Symbol.asyncDispose]();
  });

  destinationContract("Kafka", start);

  test("each event lies in the partition in which other clients look for its key", async () => {
    const topic = await newTopic(7);
    await using destination = await openKafka(topic);
    const events = Array.from({ length: 30 }, (_, number) => outgoing(number, { job: `job-${number}` }));
    const { outcome, exchange } = await send(destination, events);
    expect(outcome).toBe("ok");
    expect(exchange?.request).toMatch(/^events-\d+\[\d\] jobs\/default\/job-0\n/);
    expect(exchange?.answer).toMatch(/^events-\d+\[\d\] from offset 0\n/);
    const other = await newTopic(7);
    for (const { subject } of events) await produceByKcat(other, subject);
    const placed = (records: Consumed[]) => new Map(records.map(({ key, partition }) => [key, partition]));
    expect(placed(await broker.consume(topic))).toEqual(placed(await broker.consume(other)));
  });

  test("twenty sends at once get twenty offsets of one partition", async () => {
    const topic = await newTopic(1);
    await using destination = await openKafka(topic);
    await Promise.all(Array.from({ length: 20 }, (_, number) => send(destination, [outgoing(number)])));
    const offsets = (await broker.consume(topic)).map(({ offset }) => offset);
    expect(offsets).toEqual(Array.from({ length: 20 }, (_, offset) => offset));
  });

  test("an event too large for the topic is named, and the others of its partition are written once", async () => {
    const topic = await newTopic(1);
    await setConfig(topic, "max.message.bytes", "3000");
    await using destination = await openKafka(topic);
    const large = { data: { text: "x".repeat(4000) } };
    const batch = [outgoing(1), outgoing(2, { job: "b", ...large }), outgoing(3, { job: "c" })];
    expect(await send(destination, batch)).toMatchObject({
      outcome: "refused",
      why: "too-large",
      which: [1],
    });
    expect((await broker.consume(topic)).map(eventOf)).toMatchObject([
      { id: batch[0]?.id },
      { id: batch[2]?.id },
    ]);
  });

  test("is written to by TLS, with a certificate of ours, where the broker has the name that we expect", async () => {
    const topic = await newTopic(1);
    const { cert: clientCert, key: clientKey } = broker.authority.issue("feed", "DNS:feed");
    const trusted = { caCert: broker.authority.ca, serverName: "kafka.internal" };
    const ours = { ...trusted, clientCert, clientKey };
    const outcomes = [
      ours,
      trusted,
      { ...ours, serverName: "other.internal" },
      { ...ours, caCert: clientCert },
    ].map(async (tls) => {
      const brokers = `127.0.0.1:${broker.tlsPort}`;
      const settings = kafkaSettingsSchema.parse({ type: "kafka", brokers, topic, tls });
      await using destination = await openDestination(settings, destinationDeps());
      return (await send(destination, [outgoing(1)])).outcome;
    });
    expect(await Promise.all(outcomes)).toEqual(["ok", "retry", "retry", "retry"]);
  });

  async function start(): Promise<Counterpart> {
    const topic = await newTopic(1);
    let { password } = USER;
    return {
      open: (deps) => openKafka(topic, deps, () => password),
      received: async () => (await broker.consume(topic).catch(() => [])).map(eventOf),
      refusals: [
        {
          name: "a record beyond what the topic takes",
          arrange: () => setConfig(topic, "max.message.bytes", "100"),
          outcome: "refused",
          why: "too-large",
        },
        {
          name: "no such topic",
          arrange: () => broker.admin.deleteTopics({ topics: [topic] }),
          outcome: "refused",
          why: "config",
        },
        {
          name: "a user who may not write",
          arrange: () => denyWrites(topic),
          outcome: "refused",
          why: "forbidden",
        },
        {
          name: "another password",
          arrange: async () => void (password = "another"),
          outcome: "refused",
          why: "forbidden",
        },
      ],
      hang: async () => broker.signal("SIGSTOP"),
      goAway: async () => proxy.cut(),
      comeBack: async () => {
        proxy.mend();
        broker.signal("SIGCONT");
      },
      secrets: [USER.password],
      connections: () => connectionsTo(proxy.port),
      [Symbol.asyncDispose]: async () => {
        proxy.mend();
        broker.signal("SIGCONT");
      },
    };
  }

  function openKafka(
    topic: string,
    deps = destinationDeps(),
    password = () => USER.password,
  ): Promise<Destination> {
    const settings = kafkaSettingsSchema.parse({
      type: "kafka",
      brokers: `127.0.0.1:${proxy.port}`,
      topic,
      sasl: { mechanism: "PLAIN", username: "env:USER", password: "env:PASSWORD" },
    });
    const readSecret = (reference: string) => (reference === "env:USER" ? USER.name : password());
    return openDestination(settings, { ...deps, readSecret });
  }

  async function newTopic(partitions: number): Promise<string> {
    topics += 1;
    await broker.createTopic(`events-${topics}`, partitions);
    return `events-${topics}`;
  }

  function setConfig(topic: string, name: string, value: string): Promise<void> {
    const configs = [{ name, value, configOperation: IncrementalAlterConfigOperationTypes.SET }];
    const resources = [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs }];
    return broker.admin.incrementalAlterConfigs({ resources });
  }

  function denyWrites(topic: string): Promise<void> {
    const target = { resourceType: ResourceTypes.TOPIC, resourceName: topic };
    const who = {
      principal: `User:${USER.name}`,
      host: "*",
      resourcePatternType: ResourcePatternTypes.LITERAL,
    };
    const what = { operation: AclOperations.WRITE, permissionType: AclPermissionTypes.DENY };
    return broker.admin.createAcls({ creations: [{ ...target, ...who, ...what }] });
  }

  async function produceByKcat(topic: string, key: string): Promise<void> {
    const args = ["-P", "-b", `127.0.0.1:${broker.port}`, "-t", topic, "-k", key];
    const child = promisify(execFile)("kcat", [...args, "-X", "topic.partitioner=murmur2_random"]);
    child.child.stdin?.end("x");
    await child;
  }
});

function send(destination: Destination, batch: Parameters<Destination["send"]>[0]): Promise<SendResult> {
  return destination.send(batch, new AbortController().signal);
}

/** The CloudEvent that a record stands for, by the binary mode of the Kafka binding. */
function eventOf({ key, payload, headers }: Consumed): Arrived {
  const all = new Map<string, string>();
  for (let at = 0; at < headers.length; at += 2) all.set(headers[at] ?? "", headers[at + 1] ?? "");
  expect(all.get("ce_partitionkey")).toBe(key);
  const members = [...all].map(([name, text]) => {
    const attribute = name === "content-type" ? "datacontenttype" : name.slice("ce_".length);
    return [attribute, attribute === "severitynumber" ? Number(text) : text];
  });
  const attributes = jsonText(Object.fromEntries(members));
  const id = all.get("ce_id") ?? "";
  return all.has("ce_cursor") ? { id, json: `${attributes.slice(0, -1)},"data":${payload}}` } : { id };
}

/** Sockets of this machine that are connected to a port of it, by clients. */
async function connectionsTo(port: number): Promise<number> {
  const lines = (await readFile("/proc/net/tcp", "utf8")).split("\n");
  const remote = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return lines.filter(
    (line) => line.trim().split(/\s+/)[2]?.endsWith(remote) && line.split(/\s+/)[4] === "01",
  ).length;
}

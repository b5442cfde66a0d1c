import { jetstream, jetstreamManager, type StreamConfig } from "@nats-io/jetstream";
import { nkeys } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Destination, SendResult } from "../../../src/publishers/delivery/destination.ts";
import { openDestination } from "../../../src/publishers/destinations.ts";
import { natsSettingsSchema } from "../../../src/schemas/destinations/nats.ts";
import { NatsServer, natsMissing } from "../../support/nats-server.ts";
import { outgoing } from "../../support/outgoing.ts";
import { createTestAuthority } from "../../support/tls-certificates.ts";
import { skippedBecause } from "../../support/skipped.ts";
import { destinationContract, type Arrived, type Counterpart } from "./register-destination.ts";
import { destinationDeps } from "../../support/destination-deps.ts";

const PASSWORD = "not-for-your-eyes";
const ADMIN = { user: "admin", pass: "admin" };
const SECURED = usersWith(PASSWORD);
const why = natsMissing();

describe.skipIf(why !== undefined)(`on a real nats-server${skippedBecause(why)}`, () => {
  destinationContract("NATS JetStream", start);
});

async function start(): Promise<Counterpart> {
  const server = await NatsServer.start(SECURED);
  await withStream(server, { subjects: ["nomad.>"] });
  let isAway = false;
  return {
    open: (deps) => openNats(server, { ...deps, readSecret }),
    received: () => messagesOf(server),
    refusals: [
      {
        name: "no stream for the subject",
        arrange: () => withStream(server, { subjects: ["other.>"] }),
        outcome: "refused",
        why: "config",
      },
      {
        name: "a message beyond what the stream takes",
        arrange: () => withStream(server, { subjects: ["nomad.>"], max_msg_size: 100 }),
        outcome: "refused",
        why: "too-large",
      },
      {
        name: "a stream that is full",
        arrange: async () => {
          await withStream(server, { subjects: ["nomad.>"], max_msg_size: -1, max_bytes: 1, discard: "new" });
        },
        outcome: "retry",
      },
      {
        name: "a message beyond what the server takes",
        arrange: async () => {
          await withStream(server, { subjects: ["nomad.>"], max_bytes: -1 });
          await server.restartWith(`${SECURED}\nmax_payload: 300`);
        },
        outcome: "refused",
        why: "too-large",
      },
      {
        name: "another password",
        arrange: () => server.restartWith(usersWith("another")),
        outcome: "refused",
        why: "forbidden",
      },
      {
        name: "a user who may not publish",
        arrange: () =>
          server.restartWith(usersWith(PASSWORD, `permissions: { publish: { deny: "nomad.>" } }`)),
        outcome: "refused",
        why: "forbidden",
      },
    ],
    hang: async () => server.signal("SIGSTOP"),
    goAway: async () => {
      isAway = true;
      await server.kill();
    },
    comeBack: () => (isAway ? server.start() : Promise.resolve(server.signal("SIGCONT"))),
    secrets: [PASSWORD],
    connections: () => server.connections(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

describe.skipIf(why !== undefined)(`a stream of NATS as such${skippedBecause(why)}`, () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await NatsServer.start(SECURED);
    await withStream(server, { subjects: ["nomad.>"] });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("has an event once within its duplicate window, whatever its id holds", async () => {
    await using first = await openNats(server);
    await using second = await openNats(server);
    const batch = [outgoing(1), outgoing(2, { job: " line\nbreak % Ω " })];
    for (const destination of [first, second, first])
      expect(await send(destination, batch)).toMatchObject({ outcome: "ok" });
    expect((await send(second, batch)).exchange).toMatchObject({
      request: expect.stringContaining(`PUB nomad.jobs.default.update Nats-Msg-Id: ${batch[0]?.id}`),
      answer: expect.stringContaining("EVENTS 1, which was there"),
    });
    expect(await messagesOf(server)).toEqual(batch.map(({ id, json }) => ({ id, json })));
  });

  test("gets each event under the subject that the settings make of it", async () => {
    await using destination = await openNats(server, undefined, {
      subject: "nomad.{resource}.{namespace}.{op}.{severity}.{type}",
    });
    const control = {
      type: "nomad.feed.baseline",
      key: null,
      op: null,
      resource: "jobs",
      namespace: "*",
    } as const;
    await send(destination, [outgoing(5), outgoing(6, control)]);
    const subjects = await subjectsOf(server);
    expect(subjects.slice(-2)).toEqual([
      "nomad.jobs.default.update.INFO.nomad.job.updated",
      "nomad.feed._.-.INFO.nomad.feed.baseline",
    ]);
  });

  test("gets nothing where another stream than the configured one listens", async () => {
    await using destination = await openNats(server, undefined, { stream: "ANOTHER" });
    expect(await send(destination, [outgoing(7)])).toMatchObject({ outcome: "refused", why: "config" });
  });

  test("a batch goes on without the events that are too large, and they are named", async () => {
    await withStream(server, { subjects: ["nomad.>"], max_msg_size: 2000 });
    await using destination = await openNats(server);
    const large = { data: { text: "x".repeat(3000) } };
    const batch = [
      outgoing(20, { job: "a" }),
      outgoing(21, { job: "b", ...large }),
      outgoing(22, { job: "c" }),
    ];
    expect(await send(destination, batch)).toMatchObject({
      outcome: "refused",
      why: "too-large",
      which: [1],
    });
    expect((await messagesOf(server)).slice(-2).map(({ id }) => id)).toEqual([batch[0]?.id, batch[2]?.id]);
  });

  test("what comes after an event of its subject that was not taken is not sent, so that their order stays", async () => {
    await withStream(server, { subjects: ["nomad.>"], max_msg_size: 2000 });
    await using destination = await openNats(server);
    const batch = [
      outgoing(30, { data: { text: "x".repeat(3000) } }),
      outgoing(31),
      outgoing(32, { job: "other" }),
    ];
    expect(await send(destination, batch)).toMatchObject({ outcome: "retry", which: [0, 1] });
    expect((await messagesOf(server)).at(-1)?.id).toBe(batch[2]?.id);
    expect(await send(destination, batch.slice(0, 1))).toMatchObject({ outcome: "refused", which: [0] });
  });
});

describe.skipIf(why !== undefined)(`a nats-server with TLS${skippedBecause(why)}`, () => {
  const user = nkeys.createUser();
  const seed = Buffer.from(user.getSeed()).toString();

  test.each([
    ["a token", `authorization { token: "${PASSWORD}" }`, { token: "env:TOKEN" }, PASSWORD],
    ["an nkey", `authorization { users: [{ nkey: ${user.getPublicKey()} }] }`, { nkey: "env:SEED" }, seed],
  ])("lets us in with our certificate and %s, and with no other", async (_, users, credentials, secret) => {
    using authority = createTestAuthority("nats");
    const { cert, key } = authority.issue("server", "DNS:nats.internal");
    const ours = authority.issue("feed", "DNS:feed");
    const secured = `tls { cert_file: "${cert}", key_file: "${key}", ca_file: "${authority.ca}", verify: true }`;
    const tls = {
      caCert: authority.ca,
      clientCert: ours.cert,
      clientKey: ours.key,
      serverName: "nats.internal",
    };
    await using server = await NatsServer.start(`${secured}\n${users}`);
    const open = (more: object, behind: string) =>
      openNats(server, { ...destinationDeps(), readSecret: () => behind }, more);
    await using destination = await open({ credentials, tls }, secret);
    // Only who was let in hears that there is no stream.
    expect(await send(destination, [outgoing(1)])).toMatchObject({
      reason: expect.stringContaining("no stream"),
    });
    const withoutOurs = { caCert: tls.caCert, serverName: tls.serverName };
    for (const other of [
      withoutOurs,
      { ...tls, serverName: "other.internal" },
      { ...tls, caCert: ours.cert },
    ]) {
      await using stranger = await open({ credentials, tls: other }, secret);
      expect(await send(stranger, [outgoing(1)])).toMatchObject({ outcome: "retry" });
    }
  });
});

function usersWith(password: string, more = ""): string {
  return `authorization { users: [
    { user: ${ADMIN.user}, password: ${ADMIN.pass} }
    { user: feed, password: "${password}", ${more} }
  ] }`;
}

function readSecret(reference: string): string {
  return reference === "env:USER" ? "feed" : PASSWORD;
}

function openNats(
  server: NatsServer,
  deps = destinationDeps({ readSecret }),
  more: object = {},
): Promise<Destination> {
  const credentials = { username: "env:USER", password: "env:PASSWORD" };
  const settings = natsSettingsSchema.parse({ type: "nats", servers: [server.url], credentials, ...more });
  return openDestination(settings, deps);
}

function send(destination: Destination, batch: Parameters<Destination["send"]>[0]): Promise<SendResult> {
  return destination.send(batch, new AbortController().signal);
}

/** Makes the only stream, or changes it. */
async function withStream(server: NatsServer, config: Partial<StreamConfig>): Promise<void> {
  await using nats = await connected(server);
  const { streams } = await jetstreamManager(nats.connection);
  const all = { name: "EVENTS", ...config };
  await streams.update("EVENTS", all).catch(() => streams.add(all));
}

async function stored(server: NatsServer) {
  await using nats = await connected(server);
  const consumer = await jetstream(nats.connection).consumers.get("EVENTS");
  const { num_pending: count } = await consumer.info(true);
  const messages = count === 0 ? [] : await Array.fromAsync(await consumer.fetch({ max_messages: count }));
  return messages.map((message) => ({ subject: message.subject, json: message.string() }));
}

async function messagesOf(server: NatsServer): Promise<Arrived[]> {
  return (await stored(server)).map(({ json }) => ({ id: (JSON.parse(json) as { id: string }).id, json }));
}

async function subjectsOf(server: NatsServer): Promise<string[]> {
  return (await stored(server)).map(({ subject }) => subject);
}

async function connected(server: NatsServer) {
  const connection = await server.connect(ADMIN);
  return { connection, [Symbol.asyncDispose]: () => connection.close() };
}

import { spawn } from "node:child_process";
import { once as onceEmitted } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Agent, request } from "undici";
import { Deliveries } from "../src/publishers/delivery/deliveries.ts";
import type { Destination } from "../src/publishers/delivery/destination.ts";
import { createFanout } from "../src/publishers/fanout/fanout.ts";
import { openDestination } from "../src/publishers/destinations.ts";
import type { DestinationConfig } from "../src/schemas/destinations/index.ts";
import { webhookSettingsSchema } from "../src/schemas/destinations/webhook.ts";
import type { DeliveryStatus } from "../src/schemas/delivery-schema.ts";
import { systemClock } from "../src/shared/clock.ts";
import { silentLogger } from "../src/telemetry/logger.ts";
import { draft, SOURCE } from "../test/support/drafts.ts";
import { TestFeed } from "../test/support/http-feed.ts";
import { own } from "../test/support/own-processes.ts";
import { until } from "../test/support/until.ts";
import { median, type BenchRow } from "./harness.ts";

const EVENT_BYTES = 1000;
const EVENTS = 20_000;
/** Sent before the time counts. */
const WARM_UP = 400;
const IN_FLIGHT = 8;
const ROUNDS = 7;
/** V8 has compiled all that either side runs after some 100,000 events; a bridge has run for days. */
const WARM_UP_ROUNDS = 4;
const COMMITS = 300;
const PER_COMMIT = 50;
const COMMIT_ROUNDS = 15;
const DESTINATIONS = 10;
const SINGLE_EVENTS = 200;
const BETWEEN_MS = 10;
/** Nobody listens there. */
const DEAD_URL = "http://127.0.0.1:9/";

export default [
  {
    name: "deliver-webhook",
    unit: "events/s of 1 KB to a webhook in a process of its own, 8 at once",
    goal: "at least 0.7 × the bare client",
    against: "the same HTTP client posting the same bodies in a loop, 8 at once",
    run: measureWebhook,
  },
  {
    name: "deliver-ten-idle",
    unit: "events/s committed with ten destinations that want none of them",
    goal: "at least 0.95 × with none",
    against: "the same commits without destinations, in turns",
    run: () => measureCommits("delivering", { types: ["nodes"] }),
  },
  {
    name: "deliver-ten-dead",
    unit: "events/s committed with ten destinations that want all of them and are not there",
    goal: "at least 0.95 × with none",
    against: "the same commits without destinations, in turns",
    run: () => measureCommits("circuit-open", {}),
  },
  {
    name: "deliver-lag",
    unit: "ms from a commit to the request at a webhook, median",
    goal: "at most 10",
    against: "nothing; what an alert waits for",
    run: measureLag,
  },
] satisfies readonly BenchRow[];

async function measureWebhook() {
  const child = own(
    spawn(process.execPath, [new URL("webhook-sink.ts", import.meta.url).pathname], {
      stdio: ["ignore", "pipe", "inherit"],
    }),
    "webhook sink",
  );
  try {
    const [port] = (await onceEmitted(child.stdout, "data")) as [Buffer];
    const url = `http://127.0.0.1:${String(port).trim()}/`;
    const rounds: { value: number; against: number }[] = [];
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round += 1) {
      const measured = { value: await deliveredPerSecond(url), against: await postedPerSecond(url) };
      if (round >= WARM_UP_ROUNDS) rounds.push(measured);
    }
    return middle(rounds);
  } finally {
    child.kill();
  }
}

/** Once its connections are open. */
async function deliveredPerSecond(url: string): Promise<number> {
  await using feed = await TestFeed.open();
  await fill(feed);
  const first = Promise.withResolvers<number>();
  const last = Promise.withResolvers<number>();
  let answers = 0;
  await using _ = perform(feed, [config("sink", url)], (destination) => ({
    target: destination.target,
    limits: destination.limits ?? {},
    send: (batch, signal) =>
      destination.send(batch, signal).then((result) => {
        answers += result.outcome === "ok" ? batch.length : 0;
        if (answers === WARM_UP) first.resolve(performance.now());
        if (answers === WARM_UP + EVENTS) last.resolve(performance.now());
        return result;
      }),
    [Symbol.asyncDispose]: () => destination[Symbol.asyncDispose](),
  }));
  const begin = await first.promise;
  return (EVENTS * 1000) / ((await last.promise) - begin);
}

async function postedPerSecond(url: string): Promise<number> {
  await using feed = await TestFeed.open();
  await fill(feed);
  const { epoch } = await feed.log.head();
  const entries = await feed.log.read({ epoch, sequence: 0 }, { limit: WARM_UP + EVENTS });
  const bodies = entries.map(({ json }) => json);
  const agent = new Agent();
  const headers = { "content-type": "application/cloudevents+json" };
  let begin = 0;
  const post = async (): Promise<void> => {
    for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) {
      if (bodies.length === EVENTS) begin = performance.now();
      const answer = await request(url, { method: "POST", body, headers, dispatcher: agent });
      await answer.body.dump();
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, post));
  const rate = (EVENTS * 1000) / (performance.now() - begin);
  await agent.close();
  return rate;
}

/** With ten destinations in that state, and with none. */
async function measureCommits(state: DeliveryStatus["state"], conditions: DestinationConfig["conditions"]) {
  const configs = Array.from({ length: DESTINATIONS }, (_, n) => ({
    ...config(`d${n}`, DEAD_URL),
    conditions,
  }));
  const rounds: { value: number; against: number }[] = [];
  for (let round = 0; round <= COMMIT_ROUNDS; round += 1) {
    const sides = [
      async () => ({ value: await committedPerSecond(configs, state) }),
      async () => ({ against: await committedPerSecond([], state) }),
    ];
    if (round % 2 === 1) sides.reverse();
    let measured = { value: 0, against: 0 };
    for (const side of sides) measured = { ...measured, ...(await side()) };
    // The first one only warms up.
    if (round > 0) rounds.push(measured);
  }
  return middle(rounds);
}

async function committedPerSecond(
  configs: readonly DestinationConfig[],
  state: DeliveryStatus["state"],
): Promise<number> {
  // As a bridge has it.
  await using feed = await TestFeed.open({ fsync: true });
  await using performing = perform(feed, configs);
  await feed.commit(draft({ id: "first" }));
  await until("every destination is as it is to be", async () =>
    (await performing.deliveries.list()).every((status) => status.state === state),
  );
  const begin = performance.now();
  for (let commit = 0; commit < COMMITS; commit += 1) {
    const ids = Array.from({ length: PER_COMMIT }, (_, n) => `${commit}-${n}`);
    await feed.commit(...ids.map((id) => draft({ id, bytes: EVENT_BYTES })));
    // As between two lists, others have their turn.
    await systemClock.yield();
  }
  return (COMMITS * PER_COMMIT * 1000) / (performance.now() - begin);
}

async function measureLag(): Promise<number> {
  await using feed = await TestFeed.open();
  let arrived = Promise.withResolvers<number>();
  const server = createServer((incoming, response) => {
    arrived.resolve(performance.now());
    incoming.resume();
    incoming.on("end", () => response.writeHead(204).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const times: number[] = [];
  {
    await using _ = perform(feed, [config("sink", `http://127.0.0.1:${port}/`)]);
    for (let event = 0; event < SINGLE_EVENTS; event += 1) {
      arrived = Promise.withResolvers();
      await feed.commit(draft({ id: String(event), bytes: EVENT_BYTES }));
      const committedAt = performance.now();
      times.push((await arrived.promise) - committedAt);
      await delay(BETWEEN_MS);
    }
  }
  server.closeAllConnections();
  server.close();
  return median(times);
}

async function fill(feed: TestFeed): Promise<void> {
  const ids = Array.from({ length: WARM_UP + EVENTS }, (_, n) => `event-${n}`);
  for (let first = 0; first < ids.length; first += 200)
    await feed.commit(...ids.slice(first, first + 200).map((id) => draft({ id, bytes: EVENT_BYTES })));
}

/** Delivers to all of them until it is disposed of. */
function perform(
  { log, metrics }: TestFeed,
  configs: readonly DestinationConfig[],
  wrap: (destination: Destination) => Destination = (destination) => destination,
): AsyncDisposable & { readonly deliveries: Deliveries } {
  const base = {
    log,
    metrics,
    logger: silentLogger(),
    clock: systemClock,
    random: Math.random,
    source: SOURCE,
  };
  const unused = { readSecret: (reference: string) => reference, stdout: process.stdout };
  const fanout = createFanout(base);
  // In every bridge alerts follow it, with destinations and without.
  const leaveRing = fanout.ring.join(() => undefined);
  const deliveries = new Deliveries({
    ...base,
    ...fanout,
    worker: "bench",
    open: async ({ name, settings }) => wrap(await openDestination(settings, { ...base, ...unused, name })),
  });
  deliveries.configure(configs);
  const stop = new AbortController();
  const performing = deliveries.assignments().map((name) => deliveries.perform(name, stop.signal));
  return {
    deliveries,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      leaveRing();
      await Promise.all(performing);
    },
  };
}

function config(name: string, url: string): DestinationConfig {
  return {
    name,
    line: 1,
    settings: webhookSettingsSchema.parse({ type: "webhook", url, allowPrivate: true }),
    conditions: {},
    payload: "full",
    from: "beginning",
    ordering: "per-subject",
    inFlight: IN_FLIGHT,
    batch: { maxEvents: 1, maxBytes: 262_144, maxAgeMs: 0 },
    timeoutMs: 20_000,
    // A dead one is soon known to be dead.
    retry: { firstMs: 300, mostMs: 3_600_000 },
    onPoison: "park",
    fingerprint: "",
  };
}

/** The round whose ratio is the median. */
function middle(rounds: readonly { value: number; against: number }[]) {
  const ratioOf = ({ value, against }: { value: number; against: number }) => value / against;
  return rounds.toSorted((a, b) => ratioOf(a) - ratioOf(b))[rounds.length >> 1] ?? Number.NaN;
}

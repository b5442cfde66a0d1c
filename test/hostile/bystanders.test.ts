import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import type { EventDraft } from "../../src/schemas/draft.ts";
import { NomadTokens } from "../../src/http/access/nomad-tokens.ts";
import type { HttpServerDeps, HttpServerOptions } from "../../src/http/server.ts";
import { ALL_RIGHTS } from "../../src/schemas/rights.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { bearer } from "../support/access-feed.ts";
import { draft, refOf } from "../support/drafts.ts";
import { Guessing } from "../support/guesses.ts";
import { TestFeed } from "../support/http-feed.ts";
import { until } from "../support/until.ts";
import { WebSocketClient } from "../support/websocket-client.ts";
import { Bystanders, repeatedly } from "./bystanders.ts";
import { WatchingBridge } from "./watching-bridge.ts";

const ROUNDS = 15;
/** What this test is to find takes seconds; what a busy machine does to it takes tenths of one. */
const STALL_MS = 1000;
/** What this thread works in one go, the attack included: 5 to 15 ms, on a quiet machine or a busy one. */
const WORK_MS = 60;

interface Ground {
  readonly feed: TestFeed;
  readonly url: string;
}

interface Attack {
  readonly options?: Partial<HttpServerOptions>;
  readonly deps?: Partial<HttpServerDeps>;
  /** What the bystanders send along. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly prepare?: (ground: Ground) => Promise<unknown>;
  /** Begins it. Resolves once it is under way. */
  readonly begin: (ground: Ground) => Promise<AsyncDisposable>;
}

/** By their letters in README.md beside this file. */
const ATTACKS: Record<string, Attack> = {
  "D1: states with regular expressions that let nothing pass": {
    prepare: ({ feed }) => writeObjects(feed, 3000, { size: 200 }),
    begin: async ({ url }) => {
      const filter = encodeURIComponent('Meta matches "(x+x+)+y" or Meta matches "(.?){400}y"');
      return repeatedly(
        async (signal) => (await fetch(`${url}/v1/state?filter=${filter}`, { signal })).text(),
        2,
      );
    },
  },
  "D2, D3: subscribers with dear filters, and events that cost each of them all it may": {
    begin: async ({ feed, url }) => {
      const filters = DEAR.map((filter) => `filter=${encodeURIComponent(filter)}`).join("&");
      const dear = await Promise.all(
        Array.from({ length: 8 }, () => WebSocketClient.connect(`${url}/v1/events?${filters}`)),
      );
      const events = repeatedly(() => feed.commit(...Array<EventDraft>(8).fill(DEAR_EVENT)), 1);
      return stopping(
        events,
        ...dear.map(
          ({ socket }) =>
            () =>
              socket.terminate(),
        ),
      );
    },
  },
  "D4: pages and histories that nobody reads": {
    prepare: ({ feed }) => feed.commitMany("a", 300, 10_000),
    begin: async ({ url }) =>
      unread(url, ["/v1/events?limit=1000", "/v1/history?limit=1000"], { count: 100, each: 10 }),
  },
  "D5: states that nobody reads, while what they show changes": {
    options: { reads: { maxStatesPerHolder: 100 } },
    prepare: ({ feed }) => writeObjects(feed, 3000),
    begin: async ({ feed, url }) => {
      const sockets = await unread(url, ["/v1/state", "/v1/events?snapshot=true"], { count: 80, each: 1 });
      const changes = repeatedly(() => writeObjects(feed, 200), 1);
      return stopping(changes, () => sockets[Symbol.asyncDispose]());
    },
  },
  "D7: made-up tokens": {
    deps: { authenticators: [knowing("good")] },
    headers: bearer("good"),
    begin: async ({ url }) => {
      const guessing = new Guessing(url, { addresses: 4, atOnce: 20 });
      await until("it is under way", () => (guessing.statuses.get(401) ?? 0) > 20);
      return guessing;
    },
  },
  "D8: pings and acks without end": {
    begin: async ({ feed, url }) => {
      const { epoch } = await feed.log.head();
      return repeatedly(async () => {
        const client = await WebSocketClient.connect(`${url}/v1/events?consumer=flood-${randomUUID()}`);
        for (let n = 0; n < 1000; n += 1)
          client.socket.send(n % 2 ? `{"ping":${n}}` : `{"ack":"${epoch}-1"}`);
        await client.closed();
      }, 3);
    },
  },
  "D9: connections that send nothing, without end": {
    options: { limits: { connections: 200, connectionsPerAddress: 50 } },
    begin: async ({ url }) => {
      const sockets = new Set<Socket>();
      const opening = repeatedly(async () => {
        sockets.add(open(url, "127.0.0.2"));
        await delay(5);
      }, 1);
      await until("the limit is reached", () => sockets.size > 60);
      return stopping(opening, () => sockets.forEach((socket) => socket.destroy()));
    },
  },
};

test.for(Object.entries(ATTACKS))("nobody is held up by %s", async ([, attack], { annotate }) => {
  await using bridge = await WatchingBridge.start();
  await using feed = await TestFeed.open({ log: bridge.log });
  const { url } = await feed.serve(attack.options, attack.deps);
  await attack.prepare?.({ feed, url });
  await using bystanders = await Bystanders.join({ bridge, url, headers: attack.headers ?? {} });
  const before = await bystanders.times(ROUNDS);
  await using attackers = new AsyncDisposableStack();
  attackers.use(await attack.begin({ feed, url }));
  const during = await bystanders.times(ROUNDS);
  await annotate(`p99 before: ${shown(before)}; during: ${shown(during)}`);
  expect(during.poll).toBeLessThan(STALL_MS + 10 * before.poll);
  expect(during.serve).toBeLessThan(STALL_MS + 10 * before.serve);
  expect(during.work).toBeLessThan(WORK_MS);
});

function shown(times: object): string {
  return Object.entries(times)
    .map(([name, ms]: [string, number]) => `${name} ${ms.toFixed(0)} ms`)
    .join(", ");
}

const DEAR = [
  'Name matches "(.?){490}Z"',
  'any Members as one { any Members as other { other == "x" } }',
  "any Numbers as one { any Numbers as other { other == 123456789012345678901234 } }",
];
const DEAR_EVENT = draft({
  after: {
    ID: "5456bd7a",
    Name: "a".repeat(2000),
    Members: Object.fromEntries(Array.from({ length: 450 }, (_, n) => [`member-${n}`, { Count: n }])),
    Numbers: Array.from({ length: 450 }, (_, n) => n + 0.5),
  },
});

let written = 0;

async function writeObjects(feed: TestFeed, count: number, { size = 1000 } = {}): Promise<void> {
  written += 1;
  for (let first = 0; first < count; first += 500) {
    const states = Array.from({ length: Math.min(500, count - first) }, (_, n) => {
      const ref = refOf("allocations", `a${first + n}`);
      const stub = JSON.stringify({ ID: ref.key, Meta: "x".repeat(size), Written: written });
      return { ref, next: { rev: String(written), stub: Buffer.from(stub) } };
    });
    await feed.write([], states);
  }
}

function knowing(good: string): NomadTokens {
  return new NomadTokens(
    async (token) => {
      await delay(30);
      return token === good
        ? { kind: "known", name: token, rights: ALL_RIGHTS, expiresAtMs: undefined }
        : { kind: "unknown" };
    },
    { logger: silentLogger(), clock: systemClock, openWithoutAcls: false },
  );
}

/** Connections that ask for these in turn, each so many times over, and read nothing. */
async function unread(
  url: string,
  paths: readonly string[],
  { count, each }: { count: number; each: number },
): Promise<AsyncDisposable> {
  const sockets = Array.from({ length: count }, (_, n) => {
    const socket = open(url).pause();
    const request = `GET ${paths[n % paths.length]} HTTP/1.1\r\nhost: ${new URL(url).host}\r\naccept: application/x-ndjson\r\n\r\n`;
    socket.write(request.repeat(each));
    return socket;
  });
  await until("all is asked for", () =>
    sockets.every(({ pending, writableLength }) => !pending && writableLength === 0),
  );
  return stopping(...sockets.map((socket) => () => socket.destroy()));
}

function open(url: string, localAddress = "127.0.0.1"): Socket {
  const { hostname, port } = new URL(url);
  return connect({ host: hostname, port: Number(port), localAddress }).on("error", () => undefined);
}

/** Stops one after the other. */
function stopping(...parts: readonly (AsyncDisposable | (() => unknown))[]): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      for (const part of parts) await (typeof part === "function" ? part() : part[Symbol.asyncDispose]());
    },
  };
}

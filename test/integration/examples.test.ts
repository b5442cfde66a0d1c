import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { FeedLog } from "../../src/feed/log.ts";
import { objectChange } from "../support/drafts.ts";
import { own } from "../support/own-processes.ts";
import { openTestLog } from "../support/redis-logs.ts";
import { redisCliMissing, redisMissing, RedisServer } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples");
const JOBS = { resource: "jobs", namespace: "default" } as const;

interface Settings {
  readonly redis: string;
  readonly feed: string;
  readonly name: string;
  readonly workMs: number;
}

/** How each kind of worker is started: as its users do. */
const KINDS = {
  TypeScript: ({ redis, feed, name, workMs }: Settings) => {
    const script = join(EXAMPLES, "redis-consumer-group.ts");
    const given = { redis, feed, name, "idle-ms": "500", "work-ms": String(workMs) };
    const flags = Object.entries(given).flatMap(([flag, value]) => [`--${flag}`, value]);
    return own(
      spawn(process.execPath, [script, ...flags], {
        stdio: ["ignore", "ignore", "pipe"],
        detached: true,
      }),
      "worker",
    );
  },
  shell: ({ redis, feed, name, workMs }: Settings) =>
    own(
      spawn(join(EXAMPLES, "redis-consumer-group.sh"), {
        stdio: ["ignore", "ignore", "pipe"],
        detached: true,
        env: {
          PATH: process.env["PATH"],
          REDIS: redis,
          FEED: feed,
          NAME: name,
          IDLE_MS: "500",
          WORK_S: String(workMs / 1000),
        },
      }),
      "worker",
    ),
} as const;

class Worker {
  readonly name: string;
  /** What it has said. */
  said = "";
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    this.#exited = once(child, "exit");
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.said += text));
  }

  /** Reaches what the worker itself started too. */
  signal(name: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, name);
  }

  async end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
    this.signal(signal);
    await this.#exited;
    return this.#child.exitCode;
  }
}

const missing = redisMissing() ?? redisCliMissing();
const title = skippedBecause(missing);

describe.skipIf(missing !== undefined).each(Object.entries(KINDS))(
  `the consumer group in %s${title.replaceAll("%", "%%")}`,
  (_kind, start) => {
    let server: RedisServer;
    let client: Redis;
    let feed: string;
    let log: FeedLog;
    let feeds = 0;
    let appended = 0;
    let workers: Worker[];
    beforeAll(async () => {
      server = await RedisServer.start();
      client = server.client();
    });
    beforeEach(async () => {
      feed = `f${(feeds += 1)}`;
      log = await openTestLog(`${server.url}?feed=${feed}`);
      appended = 0;
      workers = [];
    });
    afterEach(async () => {
      await Promise.all(workers.map((worker) => worker.end("SIGKILL")));
      await log[Symbol.asyncDispose]();
    });
    afterAll(async () => {
      client.disconnect();
      await server[Symbol.asyncDispose]();
    });

    const key = (name: string) => `ncf:{${feed}}:${name}`;
    const listOf = (name: string) => `example:{${feed}}:alerts:${name}`;

    const startWorker = async (name: string, workMs = 0) => {
      const worker = new Worker(name, start({ redis: server.url, feed, name, workMs }));
      workers.push(worker);
      await until(`${name} is ready`, () => worker.said.includes("ready"));
      return worker;
    };
    /** Appends events, one for each job number; answers their ids. */
    const append = async (numbers: readonly number[]): Promise<string[]> => {
      const claim = await log.claim(JOBS, "me");
      const events = numbers.map(
        (number) => objectChange({ ...JOBS, key: `job-${number}` }, String(number)).event,
      );
      const commitId = `c${(appended += 1)}`;
      const { fence, rev } = claim;
      await log.commit({ scope: JOBS, fence, expectedRev: rev, commitId, events, state: [] });
      return events.map(({ id }) => id);
    };
    /** Effects so far: who had them, and of which event. */
    const effects = async () =>
      (await client.lrange(listOf("effects"), 0, -1)).map((line) => {
        const [by = "", id = ""] = line.split(" ");
        return { by, id };
      });
    const pendingOf = async (name: string) => {
      const [, , , consumers] = (await client.xpending(key("log"), "alerts")) as [
        number,
        string | null,
        string | null,
        [name: string, count: string][] | null,
      ];
      return Number(consumers?.find(([consumer]) => consumer === name)?.[1] ?? 0);
    };
    const allFinished = (count: number) =>
      until(`${count} effects, nothing pending`, async () => {
        const [pending] = (await client.xpending(key("log"), "alerts")) as [number];
        return (await client.llen(listOf("effects"))) >= count && pending === 0;
      });

    test("has each event's effect once while one of three workers is killed in the middle", async () => {
      const ids = await append(numbersFrom(1, 300));
      const names = ["one", "two", "three"];
      const [first] = await Promise.all(names.map((name) => startWorker(name, name === "one" ? 50 : 5)));
      // In the middle: the victim holds events that it has not finished.
      await until("the victim holds events", async () => {
        first?.signal("SIGSTOP");
        const done = (await effects()).filter(({ by }) => by === "one").length;
        if (done > 0 && (await pendingOf("one")) > 0) return true;
        first?.signal("SIGCONT");
        return false;
      });
      const held = await pendingOf("one");
      await first?.end("SIGKILL");
      ids.push(...(await append(numbersFrom(301, 20))));
      await allFinished(ids.length);
      const seen = await effects();
      expect(seen.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
      expect(held).toBeGreaterThan(0);
      expect(new Set(seen.map(({ by }) => by))).toEqual(new Set(names));
      for (const worker of workers) expect(worker.said).not.toContain("LOST");
    });

    test("has no second effect when a worker wakes up whose events others have finished", async () => {
      const ids = await append(numbersFrom(1, 10));
      const sleeper = await startWorker("one", 20);
      await until("it holds events", async () => (await pendingOf("one")) > 0);
      sleeper.signal("SIGSTOP");
      const held = await pendingOf("one");
      await startWorker("two");
      await allFinished(ids.length);
      sleeper.signal("SIGCONT");
      // Each worker does one thing after the other: at a new event it has been through what it held.
      const before = ids.length;
      await until("the sleeper has a new event", async () => {
        ids.push(...(await append([100 + ids.length])));
        return (await effects()).some(({ by, id }) => by === "one" && ids.indexOf(id) >= before);
      });
      await allFinished(ids.length);
      expect(held).toBeGreaterThan(0);
      expect((await effects()).map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    });

    test("has no second effect when a change is told again, and ends in order", async () => {
      const ids = await append([1, 2]);
      const worker = await startWorker("one");
      await append([2, 1]);
      ids.push(...(await append([3])));
      await allFinished(3);
      expect((await effects()).map(({ id }) => id)).toEqual(ids);
      expect(await worker.end("SIGTERM")).toBe(0);
    });

    test("goes on after Redis lost a worker's connection", async () => {
      await append([1]);
      await startWorker("one");
      await allFinished(1);
      await client.call("CLIENT", ["KILL", "TYPE", "NORMAL", "SKIPME", "YES"]);
      await append([2]).catch(() => append([2]));
      await allFinished(2);
      expect(await effects()).toHaveLength(2);
    });

    test("ends when it is told to while Redis is away", async () => {
      const worker = await startWorker("one");
      await server.kill();
      try {
        await until("it has noticed", () => /refused/i.test(worker.said));
        expect(await worker.end("SIGTERM")).toBe(0);
      } finally {
        await server.start();
      }
    });

    test("says which events retention removed before they were read, and which before they were finished", async () => {
      await append(numbersFrom(1, 5));
      const slow = await startWorker("one", 60_000);
      await until("it holds events", async () => (await pendingOf("one")) === 5);
      await slow.end("SIGKILL");
      await append(numbersFrom(6, 20));
      await log.trim({ maxEvents: 3 });
      const next = await startWorker("two");
      await until("the last events have had their effect", async () => (await effects()).length === 3);
      await until("it names what it could not read", () => next.said.includes("removed events 6 to 22"));
      for (const number of numbersFrom(1, 5)) {
        await until(`it names event ${number}`, () => new RegExp(`LOST: event ${number}-`).test(next.said));
      }
      await allFinished(3);
    });

    test("goes on with a Redis that lost its newest events, and says that the epoch is another", async () => {
      const kept = await append(numbersFrom(1, 5));
      const worker = await startWorker("one");
      await allFinished(5);
      await client.save();
      await append(numbersFrom(6, 5));
      await allFinished(10);
      await server.kill();
      await server.start();
      const told = await until("the log takes events again", () =>
        append(numbersFrom(101, 3)).catch(() => undefined),
      );
      const { epoch } = await log.head();
      const events = (await log.read({ epoch, sequence: 0 }, { limit: 100 })).map(({ id }) => id);
      await until("their effect", async () => (await effects().catch(() => [])).length >= events.length);
      await allFinished(events.length);
      expect((await effects()).map(({ id }) => id)).toEqual(events);
      expect(events).toEqual(expect.arrayContaining([...kept, ...told]));
      await until("it says so", () => worker.said.includes(`EPOCH: now ${epoch}`));
    });
  },
);

function numbersFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, n) => first + n);
}

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { once } from "node:events";
import { connect } from "node:net";
import { LogUnavailable } from "../../src/feed/errors.ts";
import type { FeedLog, ConsistentRead } from "../../src/feed/log.ts";
import { ReadScheduler } from "../../src/publishers/work/read-scheduler.ts";
import { objectTexts } from "../../src/publishers/state/objects.ts";
import { objectFrameSchema } from "../../src/schemas/frames-schema.ts";
import { breakable } from "../support/breakable-log.ts";
import { objectChange, refOf } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { until } from "../support/until.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

let feed: TestFeed;
beforeEach(async () => {
  feed = await TestFeed.open();
});
afterEach(() => feed[Symbol.asyncDispose]());

/** The log, counting reads that were opened and given back; `spoil` may change what a read answers. */
function watchedReads(log: FeedLog, spoil: (read: ConsistentRead) => Partial<ConsistentRead> = () => ({})) {
  const reads = { opened: 0, released: 0 };
  const watched: FeedLog = {
    ...breakable(log),
    consistentRead: async () => {
      const read = await log.consistentRead();
      reads.opened += 1;
      return {
        cursor: read.cursor,
        entries: (filter) => read.entries(filter),
        ...spoil(read),
        [Symbol.asyncDispose]: async () => {
          reads.released += 1;
          await read[Symbol.asyncDispose]();
        },
      };
    },
  };
  return { watched, reads };
}

interface ObjectItem {
  readonly subject: string;
  readonly data: { readonly after: Record<string, unknown> };
}

async function subjectsOf(url: string, headers: Record<string, string> = {}): Promise<string[]> {
  const response = await fetch(url, { headers });
  expect(response.status).toBe(200);
  return ((await response.json()) as ObjectItem[]).map(({ subject }) => subject);
}

describe("GET /v1/state", () => {
  it("answers the current objects and the cursor at which they are true", async () => {
    await feed.commitObjects(
      objectChange(refOf("allocations", "a"), "1"),
      objectChange(refOf("jobs", "web"), "2"),
    );
    const cursor = await feed.commitObjects(
      objectChange(refOf("allocations", "a"), "3"),
      objectChange(refOf("jobs", "web"), null),
      objectChange(refOf("nodes", "n1", "-"), "4"),
    );
    const { url } = await feed.serve();
    const response = await fetch(`${url}/v1/state`);
    expect(response.headers.get("x-changefeed-cursor")).toBe(cursor);
    expect(response.headers.get("content-type")).toBe("application/cloudevents-batch+json; charset=utf-8");
    const objects = (await response.json()) as ObjectItem[];
    expect(objects.map(({ subject }) => subject)).toEqual(["allocations/default/a", "nodes/-/n1"]);
    for (const object of objects) expect(objectFrameSchema.safeParse(object).error).toBeUndefined();
    expect(objects[0]?.data.after).toMatchObject({ ModifyIndex: 3 });
    await feed.commitMany("later", 2);
    const since = await fetch(`${url}/v1/events?cursor=${cursor}`);
    expect(await since.json()).toMatchObject([{ id: "later1" }, { id: "later2" }]);
  });

  it("keeps the filters that choose objects, and refuses the others", async () => {
    await feed.commitObjects(
      objectChange(refOf("allocations", "a"), "1"),
      objectChange(refOf("allocations", "b", "prod"), "1"),
      objectChange(refOf("jobs", "a/b", "prod"), "2"),
    );
    const { url } = await feed.serve();
    expect(await subjectsOf(`${url}/v1/state?types=jobs`)).toEqual(["jobs/prod/a/b"]);
    expect(await subjectsOf(`${url}/v1/state?types=nomad.job.updated,nodes`)).toEqual(["jobs/prod/a/b"]);
    expect(await subjectsOf(`${url}/v1/state?namespaces=prod`)).toEqual([
      "allocations/prod/b",
      "jobs/prod/a/b",
    ]);
    expect(await subjectsOf(`${url}/v1/state?subjects=jobs/prod/a/b`)).toEqual(["jobs/prod/a/b"]);
    expect(await subjectsOf(`${url}/v1/state?subjects=jobs/prod/a/b,allocations/default/a`)).toEqual([
      "allocations/default/a",
      "jobs/prod/a/b",
    ]);
    expect(await subjectsOf(`${url}/v1/state?types=feed`)).toEqual([]);
    const filter = encodeURIComponent('ModifyIndex == 1 and resource.namespace != "default"');
    expect(await subjectsOf(`${url}/v1/state?filter=${filter}`)).toEqual(["allocations/prod/b"]);
    const refused = await fetch(`${url}/v1/state?ops=create`);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ field: "ops", allowed: expect.arrayContaining(["types"]) });
  });

  it("is lines for who asks for lines, and no line where there is no object", async () => {
    const { url } = await feed.serve();
    const lines = async () =>
      (await fetch(`${url}/v1/state`, { headers: { accept: "application/x-ndjson" } })).text();
    expect(await lines()).toBe("");
    await feed.commitObjects(
      objectChange(refOf("allocations", "a"), "1"),
      objectChange(refOf("jobs", "w"), "1"),
    );
    expect(
      (await lines()).split("\n").map((line) => line && (JSON.parse(line) as ObjectItem).subject),
    ).toEqual(["allocations/default/a", "jobs/default/w", ""]);
  });

  it("shows one moment however long it is read, and releases its read whatever happens", async () => {
    const names = Array.from({ length: 1500 }, (_, position) => String(position).padStart(5, "0"));
    for (let first = 0; first < names.length; first += 200) {
      await feed.commitObjects(
        ...names
          .slice(first, first + 200)
          .map((key) =>
            withStub(objectChange(refOf("allocations", key), "1"), { ID: key, Padding: "x".repeat(9000) }),
          ),
      );
    }
    const { watched, reads } = watchedReads(feed.log);
    const { url } = await feed.serve({}, { log: watched });

    const response = await fetch(`${url}/v1/state`);
    await feed.commitObjects(objectChange(refOf("allocations", "00001"), null));
    await feed.commitObjects(objectChange(refOf("allocations", "zzz"), "1"));
    const objects = (await response.json()) as ObjectItem[];
    expect(objects.map(({ data }) => data.after["ID"])).toEqual(names);
    await until("the read is given back", () => reads.released === 1);

    // Far more than fits in the sockets' buffers: the server waits, and then nobody is there any more.
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.write("GET /v1/state HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    await once(socket, "readable");
    await until("the second read is opened", () => reads.opened === 2);
    expect(reads.released).toBe(1);
    socket.destroy();
    await until("the second read is given back", () => reads.released === 2);
  });

  it("answers many requests that one connection sends at once, in their order", async () => {
    const warnings: string[] = [];
    const onWarning = ({ message }: Error) => warnings.push(message);
    process.on("warning", onWarning);
    const { url } = await feed.serve({ reads: { maxStatesPerHolder: 40 } });
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname).setEncoding("utf8");
    let answers = "";
    socket.on("data", (text: string) => (answers += text));
    const paths = Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? "/v1/state" : "/v1/nothing"));
    socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`).join(""));
    const statuses = () => [...answers.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status);
    await until("all are answered", () => statuses().length === paths.length);
    expect(statuses()).toEqual(paths.map((path) => (path === "/v1/state" ? "200" : "404")));
    socket.destroy();
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });

  it("releases the reads of all requests that a connection had sent when it ended", async () => {
    await feed.commitObjects(
      ...Array.from({ length: 300 }, (_, n) =>
        withStub(objectChange(refOf("allocations", `k${n}`), "1"), { Padding: "x".repeat(60_000) }),
      ),
    );
    const { watched, reads } = watchedReads(feed.log);
    const { url } = await feed.serve({}, { log: watched });
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.write("GET /v1/state HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".repeat(3));
    await until("all reads are open", () => reads.opened === 3);
    expect(reads.released).toBe(0);
    socket.destroy();
    await until("all reads are given back", () => reads.released === 3);
  });

  it("cuts off who reads nothing, and releases its read", async () => {
    await feed.commitObjects(
      ...Array.from({ length: 300 }, (_, n) =>
        withStub(objectChange(refOf("allocations", `k${n}`), "1"), { Padding: "x".repeat(60_000) }),
      ),
    );
    const { watched, reads } = watchedReads(feed.log);
    const { url } = await feed.serve({ stallTimeoutMs: 50 }, { log: watched });
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.pause();
    socket.write("GET /v1/state HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    await until("the read is given back", () => reads.released === 1);
    const received: Buffer[] = [];
    socket.on("error", () => undefined).on("data", (part) => received.push(part));
    socket.resume();
    await once(socket, "close");
    expect(Buffer.concat(received).toString()).not.toMatch(/\r\n0\r\n\r\n$/);
  });

  it("never looks whole where the log failed halfway", async () => {
    await feed.commitObjects(
      withStub(objectChange(refOf("allocations", "a"), "1"), { Padding: "x".repeat(60_000) }),
      objectChange(refOf("allocations", "b"), "1"),
    );
    const { watched, reads } = watchedReads(feed.log, (read) => ({
      async *entries() {
        yield* read.entries({ resource: "allocations" });
        throw new LogUnavailable("The log is away");
      },
    }));
    const { url } = await feed.serve({}, { log: watched });
    const lines = await readToTheBreak(`${url}/v1/state`, "application/x-ndjson");
    expect(lines.isWhole).toBe(false);
    // The objects of a batch that was not full are lost with it; the reason is not.
    expect(
      lines.text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as object),
    ).toMatchObject([
      { subject: "allocations/default/a" },
      { type: "nomad.feed.error", data: { code: "LOG_UNAVAILABLE" } },
    ]);
    expect((await readToTheBreak(`${url}/v1/state`, "application/json")).isWhole).toBe(false);
    await until("both reads are given back", () => reads.released === 2);
  });

  it("holds only what its reader may see", async () => {
    await feed.commitObjects(
      objectChange(refOf("allocations", "a"), "1"),
      objectChange(refOf("allocations", "b", "prod"), "1"),
    );
    await using read = await feed.log.consistentRead();
    const texts = await Array.fromAsync(
      objectTexts(read, await new ReadScheduler({ maxWorkMs: 30_000, clock: systemClock }).begin(), {
        conditions: {},
        access: { name: "prod", maySee: ({ namespace }) => namespace === "prod" },
        payload: "full",
        source: "nomad://test/global",
        nowMs: Date.now,
      }),
    );
    expect(texts.flat().map((text) => (JSON.parse(text) as ObjectItem).subject)).toEqual([
      "allocations/prod/b",
    ]);
  });

  it("says so where it would cost more work than one request may have", async () => {
    await feed.commitObjects(objectChange(refOf("jobs", "web"), "1"));
    const { url } = await feed.serve({ reads: { maxTimeMs: 0 } });
    const refused = await fetch(`${url}/v1/state`);
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({
      code: "TOO_COSTLY",
      hint: expect.stringMatching(/--max-read-time/),
    });
    const client = await WebSocketClient.connect(`${url}/v1/events?snapshot=true`);
    const error = (await client.until(() => false)).at(-1);
    expect(error).toMatchObject({ type: "nomad.feed.error", data: { code: "TOO_COSTLY", closeCode: 4422 } });
  });

  it("is read by so many at once as the options say, and by more when one of them has ended", async () => {
    await feed.commitObjects(
      ...Array.from({ length: 200 }, (_, n) =>
        withStub(objectChange(refOf("jobs", `${n}`), "1"), { Meta: "x".repeat(50_000) }),
      ),
    );
    const { url } = await feed.serve({ reads: { maxStatesPerHolder: 1 } });
    const unread = new AbortController();
    const held = await fetch(`${url}/v1/state`, { signal: unread.signal });
    expect(held.status).toBe(200);
    const refused = await fetch(`${url}/v1/state`);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("2");
    expect(await refused.json()).toMatchObject({
      code: "LIMIT",
      message: "Your address reads 1 states or snapshots already",
      hint: expect.stringMatching(/--max-states-per-token/),
    });
    expect(
      (await fetch(`${url}/v1/events?snapshot=true`, { headers: { accept: "application/x-ndjson" } })).status,
    ).toBe(429);
    unread.abort();
    await until("the place is free", async () => (await fetch(`${url}/v1/state?types=nodes`)).status === 200);
  });

  it("is refused as HTTP where no consistent read can be had", async () => {
    const log: FeedLog = {
      ...breakable(feed.log),
      consistentRead: async () => {
        throw new LogUnavailable("The log is away");
      },
    };
    const { url } = await feed.serve({}, { log });
    const refused = await fetch(`${url}/v1/state`);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: "LOG_UNAVAILABLE" });
  });
});

function withStub(change: ReturnType<typeof objectChange>, stub: object): ReturnType<typeof objectChange> {
  const { state } = change;
  const next = { rev: state.next?.rev ?? "1", stub: Buffer.from(JSON.stringify(stub)) };
  return { ...change, state: { ...state, next } };
}

async function readToTheBreak(url: string, accept: string): Promise<{ text: string; isWhole: boolean }> {
  let text = "";
  try {
    const response = await fetch(url, { headers: { accept } });
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
    return { text, isWhole: true };
  } catch {
    return { text, isWhole: false };
  }
}

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import { StreamRefused, followFeed, type FollowStatus } from "../../src/commands/support/follow-feed.ts";
import { Backoff } from "../../src/pollers/backoff.ts";
import { startCli } from "../support/cli.ts";
import { draftOf, TestFeed } from "../support/http-feed.ts";
import { until } from "../support/until.ts";

function idsIn(lines: string): string[] {
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => (JSON.parse(line) as { id: string }).id);
}

describe("tail", () => {
  it("prints the events as they are, once each and in order, through a restart of the server", async () => {
    await using feed = await TestFeed.open();
    const { url, server } = await feed.serve();
    await feed.commit(draftOf({ id: "a1" }));
    const cli = startCli(["tail", "--url", url, "--json", "--cursor", "earliest"]);
    await until("the first event", () => cli.stdout.includes('"a1"'));

    await server.stop("restart");
    await until("word of the disconnection", () => cli.stderr.includes("disconnected"));
    const ids = await feed.commitMany("b", 300);
    await feed.serve({ port: Number(new URL(url).port) });
    await until("the last event", () => cli.stdout.includes('"b300"'));
    await feed.commit(draftOf({ id: "c1" }));
    await until("a live event", () => cli.stdout.includes('"c1"'));

    cli.interrupt();
    expect(await cli.done).toBe(0);
    expect(idsIn(cli.stdout)).toEqual(["a1", ...ids, "c1"]);
    expect(cli.stderr).toMatch(/connected to .*\n[\s\S]*trying again in [\d.]+ s[\s\S]*connected again/);
  });

  it("passes the filters on, and ends by itself at the limit", async () => {
    await using feed = await TestFeed.open();
    const { url } = await feed.serve();
    await feed.commit(
      draftOf({ id: "a1" }),
      draftOf({ id: "a2", severity: "WARN" }),
      draftOf({ id: "a3", severity: "ERROR", namespace: "qa" }),
      draftOf({ id: "a4", severity: "ERROR" }),
    );
    const flags = ["--min-severity", "WARN", "--namespaces", "default", "--since", "1h", "--limit", "2"];
    const cli = startCli(["tail", "--url", url, "--json", ...flags]);
    expect(await cli.done).toBe(0);
    expect(idsIn(cli.stdout)).toEqual(["a2", "a4"]);
  });

  it("says what is wrong with a cursor of another feed, and ends", async () => {
    await using feed = await TestFeed.open();
    const { url } = await feed.serve();
    const cli = startCli(["tail", "--url", url, "--cursor", "other1-5"]);
    expect(await cli.done).toBe(1);
    expect(cli.stderr).toContain("another epoch");
    expect(cli.stdout).toBe("");
  });

  it("names the address where nothing answers, and keeps trying", async () => {
    const closed = await listening(createServer());
    const { port } = closed.address() as AddressInfo;
    closed.close();
    const cli = startCli(["tail", "--url", `http://127.0.0.1:${port}`]);
    await until("a second try", () => cli.stderr.split("cannot reach").length > 2);
    cli.interrupt();
    expect(await cli.done).toBe(0);
    expect(cli.stderr).toMatch(
      new RegExp(`^cannot reach http://127.0.0.1:${port} \\(.*ECONNREFUSED.*nomad-changefeed run`),
    );
  });

  it("ends where something else than a feed answers", async () => {
    const other = await listening(createServer((_request, response) => response.writeHead(404).end("nope")));
    const { port } = other.address() as AddressInfo;
    const cli = startCli(["tail", "--url", `http://127.0.0.1:${port}`]);
    expect(await cli.done).toBe(1);
    expect(cli.stderr).toMatch(/answered 404[\s\S]*Is this the address of a nomad-changefeed\?/);
    other.close();
  });
});

/** A server that plays one script per connection, the last one again and again. */
async function scripted(...scripts: ((socket: WebSocket, query: URLSearchParams) => void)[]) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const queries: URLSearchParams[] = [];
  server.on("connection", (socket, request) => {
    const query = new URL(request.url ?? "", "ws://x").searchParams;
    queries.push(query);
    scripts[Math.min(queries.length, scripts.length) - 1]?.(socket, query);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    queries,
    [Symbol.dispose]() {
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
}

const hello = (cursor: string) => JSON.stringify({ type: "nomad.feed.hello", data: { cursor, gap: false } });
const bookmark = (cursor: string) => JSON.stringify({ type: "nomad.feed.bookmark", data: { cursor } });
const event = (cursor: string) => JSON.stringify({ type: "nomad.job.updated", cursor });

function follow(
  url: string,
  options: { signal?: AbortSignal; silenceMs?: number; onEvent?: () => Promise<void> } = {},
) {
  const events: string[] = [];
  const statuses: FollowStatus[] = [];
  const done = followFeed({
    url,
    query: new URLSearchParams({ since: "1h", types: "jobs" }),
    signal: new AbortController().signal,
    backoff: new Backoff({ baseMs: 1, maxMs: 1, random: () => 0 }),
    onStatus: (status) => statuses.push(status),
    ...options,
    onEvent: async (json) => {
      await options.onEvent?.();
      events.push((JSON.parse(json) as { cursor: string }).cursor);
    },
  });
  return { events, statuses, done };
}

describe("following", () => {
  it("comes back with the last cursor, a bookmark's too, and without `since`", async () => {
    using server = await scripted(
      (socket) =>
        [hello("e-1"), event("e-2"), bookmark("e-9")].forEach((text, position, all) => {
          socket.send(text, () => position === all.length - 1 && socket.terminate());
        }),
      (socket) =>
        [hello("e-9"), event("e-10")].forEach((text) =>
          socket.send(text, () => text.includes("e-10") && socket.close(1000)),
        ),
    );
    const { done, events, statuses } = follow(server.url);
    await done;
    expect(events).toEqual(["e-2", "e-10"]);
    expect(server.queries.map((query) => query.toString())).toEqual([
      "since=1h&types=jobs",
      "types=jobs&cursor=e-9",
    ]);
    expect(statuses.map(({ kind }) => kind)).toEqual(["connected", "disconnected", "connected"]);
  });

  it("goes on from the earliest event, and says so, where retention overtook it", async () => {
    using server = await scripted(
      (socket) => {
        socket.send(hello("e-1"));
        socket.close(4410);
      },
      (socket) => {
        socket.send(hello("e-50"));
        socket.close(1000);
      },
    );
    const { done, statuses } = follow(server.url);
    await done;
    expect(statuses[1]).toEqual({ kind: "expired", cursor: "e-1" });
    expect(server.queries[1]?.get("cursor")).toBe("earliest");
  });

  it.each([4400, 4401, 4403, 4409, 4412])("ends with the server's words at close code %i", async (code) => {
    using server = await scripted((socket) => {
      socket.send(
        JSON.stringify({ type: "nomad.feed.error", data: { message: "No.", hint: "Ask others." } }),
      );
      socket.close(code);
    });
    const { done } = follow(server.url);
    const error: unknown = await done.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StreamRefused);
    expect(error).toMatchObject({ message: "No.", hint: "Ask others." });
    expect(server.queries).toHaveLength(1);
  });

  it.each([1001, 1011, 1012, 1013, 4408, 4429])("tries again at close code %i", async (code) => {
    using server = await scripted(
      (socket) => socket.close(code),
      (socket) => socket.close(1000),
    );
    await follow(server.url).done;
    expect(server.queries).toHaveLength(2);
  });

  it.each(["hello?", "null"])("ends where what it hears is no feed: %s", async (said) => {
    using server = await scripted((socket) => socket.send(said));
    await expect(follow(server.url).done).rejects.toThrow("not with a feed");
  });

  it("gives a silent connection up", async () => {
    using server = await scripted(
      () => undefined,
      (socket) => socket.close(1000),
    );
    await follow(server.url, { silenceMs: 50 }).done;
    expect(server.queries).toHaveLength(2);
  });

  it("hands over one event at a time, and fails with what the reader throws", async () => {
    using server = await scripted((socket) => {
      for (const text of [hello("e-0"), event("e-1"), event("e-2"), event("e-3")]) socket.send(text);
    });
    let atOnce = 0;
    let handled = 0;
    const { done } = follow(server.url, {
      onEvent: async () => {
        atOnce += 1;
        await new Promise(setImmediate);
        expect(atOnce).toBe(1);
        atOnce -= 1;
        handled += 1;
        if (handled === 3) throw new Error("full");
      },
    });
    await expect(done).rejects.toThrow("full");
  });
});

async function listening(server: Server): Promise<Server> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

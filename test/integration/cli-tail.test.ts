import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { runCli, startCli } from "../support/cli.ts";
import { draft } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { createTestAuthority } from "../support/tls-certificates.ts";
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
    await feed.commit(draft({ id: "a1" }));
    const cli = startCli(["tail", "--url", url, "--json", "--cursor", "earliest"]);
    await until("the first event", () => cli.stdout.includes('"a1"'));

    await server.stop("restart");
    await until("word of the disconnection", () => cli.stderr.includes("disconnected"));
    const ids = await feed.commitMany("b", 300);
    await feed.serve({ port: Number(new URL(url).port) });
    await until("the last event", () => cli.stdout.includes('"b300"'));
    await feed.commit(draft({ id: "c1" }));
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
      draft({ id: "a1" }),
      draft({ id: "a2", severity: "WARN" }),
      draft({ id: "a3", severity: "ERROR", namespace: "qa" }),
      draft({ id: "a4", severity: "ERROR" }),
    );
    const flags = ["--min-severity", "WARN", "--namespaces", "default", "--since", "1h", "--limit", "2"];
    const cli = startCli(["tail", "--url", url, "--json", ...flags]);
    expect(await cli.done).toBe(0);
    expect(idsIn(cli.stdout)).toEqual(["a2", "a4"]);
  });

  it("says what retention removed while it was away, and goes on from the earliest event", async () => {
    await using feed = await TestFeed.open();
    const { url, server } = await feed.serve();
    const [first = ""] = await feed.commitMany("a", 1);
    const cli = startCli(["tail", "--url", url, "--json", "--cursor", "earliest"]);
    await until("the first event", () => cli.stdout.includes(`"${first}"`));
    const cursor = await feed.headCursor();

    await server.stop("restart");
    await until("word of the disconnection", () => cli.stderr.includes("disconnected"));
    const missed = await feed.commitMany("b", 10);
    await feed.log.trim({ maxEvents: 2 });
    await feed.serve({ port: Number(new URL(url).port) });
    await until("the last event", () => cli.stdout.includes('"b10"'));

    cli.interrupt();
    expect(await cli.done).toBe(0);
    expect(idsIn(cli.stdout)).toEqual([first, ...missed.slice(-2)]);
    expect(cli.stderr).toContain(`events after cursor ${cursor} were removed by retention`);
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

  it("ends by itself after the time it was given", async () => {
    await using feed = await TestFeed.open();
    const { url } = await feed.serve();
    const cli = startCli(["tail", "--url", url, "--for", "1s"]);
    expect(await cli.done).toBe(0);
    expect(cli.stderr).toContain("connected to");
  });

  it("gives up where it was told to, before a connection and after one", async () => {
    const nobody = startCli(["tail", "--url", "http://127.0.0.1:1", "--give-up", "1s"]);
    expect(await nobody.done).toBe(1);
    expect(nobody.stderr).toMatch(
      /error: The feed at http:\/\/127\.0\.0\.1:1 does not answer: .*ECONNREFUSED/,
    );

    await using feed = await TestFeed.open();
    const { url, server } = await feed.serve();
    const cli = startCli(["tail", "--url", url, "--give-up", "1s"]);
    await until("the connection", () => cli.stderr.includes("connected to"));
    await server.stop("restart");
    expect(await cli.done).toBe(1);
    expect(cli.stderr).toMatch(/error: The feed at .* does not answer/);
  });

  it("ends where the certificate is not trusted, and reads the feed where its authority is given", async () => {
    using authority = createTestAuthority("tail");
    await using feed = await TestFeed.open();
    const { url } = await feed.serve({ tls: authority.issue("feed", "IP:127.0.0.1") });
    const doubting = startCli(["tail", "--url", url]);
    expect(await doubting.done).toBe(1);
    expect(doubting.stderr).toMatch(/error: https:\S+ cannot be trusted: .*certificate[\s\S]*--ca-cert/);

    await feed.commit(draft({ id: "a1" }));
    const flags = ["--ca-cert", authority.ca];
    const cli = startCli(["tail", "--url", url, "--json", "--cursor", "earliest", "--limit", "1", ...flags]);
    expect(await cli.done).toBe(0);
    expect(idsIn(cli.stdout)).toEqual(["a1"]);
    expect((await runCli(["assignments", "--url", url, ...flags])).stdout).toContain("ASSIGNMENT");
    const wrong = await runCli(["tail", "--url", url, "--ca-cert", "/none.pem"]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("--ca-cert: /none.pem is no PEM file");
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

async function listening(server: Server): Promise<Server> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startCli } from "../support/cli.ts";
import { controlDraft, draft } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { HttpStream } from "../support/http-stream.ts";
import { nextPage } from "../support/next-page.ts";
import { UpgradeRefused, WebSocketClient, type ReceivedEvent } from "../support/websocket-client.ts";

let feed: TestFeed;
beforeEach(async () => {
  feed = await TestFeed.open();
  await feed.commit(
    change("running", { ClientStatus: "running", JobID: "web" }, ["/NodeID"]),
    change("failed", { ClientStatus: "failed", JobID: "web" }, ["/ClientStatus"], { severity: "ERROR" }),
    change("other", { ClientStatus: "failed", JobID: "db" }, ["/ClientStatus", "/TaskStates/main/State"]),
    draft({
      id: "gone",
      op: "delete",
      data: '{"op":"delete","before":{"ClientStatus":"failed","JobID":"web"}}',
    }),
    draft({ id: "large", data: '{"op":"update","changes":[],"changesTruncated":9}' }),
    draft({
      id: "nanos",
      data: '{"op":"update","after":{"CreateTime":1795434687866379238},"changes":[]}',
    }),
    controlDraft("stale", "nomad.feed.scope", { severity: "WARN" }),
    controlDraft("nodes", "nomad.feed.scope", { severity: "WARN", resource: "nodes", namespace: "-" }),
  );
});
afterEach(() => feed[Symbol.asyncDispose]());

function change(
  id: string,
  after: Readonly<Record<string, string>>,
  paths: readonly string[],
  overrides = {},
) {
  const changes = paths.map((path) => ({ path, from: 1, to: 2 }));
  const data = JSON.stringify({ op: "update", changes, after });
  return draft({
    id,
    job: after.JobID ?? null,
    data,
    ...overrides,
  });
}

const ids = (events: readonly ReceivedEvent[]) =>
  events
    .filter(({ cursor, type }) => cursor !== undefined && !/hello|bookmark/.test(type))
    .map(({ id }) => id);

function target(url: string, filters: readonly string[], rest: Record<string, string> = {}): string {
  const query = new URLSearchParams({ cursor: "earliest", ...rest });
  for (const filter of filters) query.append("filter", filter);
  return `${url}/v1/events?${query.toString()}`;
}

/** Ids of the events that each format gives. */
async function idsInAll(
  url: string,
  filters: readonly string[],
  limit: number,
): Promise<Record<string, string[]>> {
  const address = target(url, filters, { limit: String(limit) });
  const client = await WebSocketClient.connect(address);
  const streamed = async (accept: string) => {
    await using stream = await HttpStream.open(address, accept);
    return ids((await stream.until(() => false)).map(({ event }) => event));
  };
  return {
    websocket: ids(await client.until(() => false)),
    sse: await streamed("text/event-stream"),
    ndjson: await streamed("application/x-ndjson"),
    page: ids((await (await fetch(address)).json()) as ReceivedEvent[]),
  };
}

describe("filter", () => {
  const always = ["large", "stale", "nodes"];

  it.each<[string, readonly string[], readonly string[]]>([
    ["by the object", ['ClientStatus == "failed"'], ["failed", "other", "gone", ...always]],
    ["by what changed", ['"/TaskStates" in changes and op == update'], ["other", ...always]],
    ["by facts", ["resource.job == web and severity == ERROR"], ["failed"]],
    ["twice, both hold", ["ClientStatus == failed", "JobID == web"], ["failed", "gone", ...always]],
    ["of a scope", ["resource.type == nodes"], ["nodes"]],
    ["beyond 2^53", ["after.CreateTime == 1795434687866379238"], ["large", "nanos", "stale", "nodes"]],
    ["beside 2^53", ["after.CreateTime == 1795434687866379239"], always],
    ["by a pattern", ["JobID matches `^d.$`"], ["other", ...always]],
  ])("%s: %j", async (_what, filters, expected) => {
    const { url } = await feed.serve();
    expect(await idsInAll(url, filters, expected.length)).toEqual({
      websocket: expected,
      sse: expected,
      ndjson: expected,
      page: expected,
    });
  });

  it("holds together with the other parameters, and for events to come", async () => {
    const { url } = await feed.serve();
    const client = await WebSocketClient.connect(
      target(url, ["JobID == web"], { cursor: "latest", minSeverity: "ERROR", limit: "2" }),
    );
    await client.next();
    await feed.commit(
      change("quiet", { JobID: "web" }, []),
      change("loud", { JobID: "web" }, [], { severity: "ERROR" }),
      change("strange", { JobID: "db" }, [], { severity: "ERROR" }),
      change("louder", { JobID: "web" }, [], { severity: "FATAL" }),
    );
    expect(ids(await client.until(() => false))).toEqual(["loud", "louder"]);
  });

  it("stays in the address of the next page", async () => {
    const { url } = await feed.serve();
    const filters = ["op == update and ClientStatus is not empty", "JobID == web or JobID == db"];
    const first = await fetch(target(url, filters, { limit: "1" }));
    expect(ids((await first.json()) as ReceivedEvent[])).toEqual(["running"]);
    expect(ids((await (await fetch(`${url}${nextPage(first)}`)).json()) as ReceivedEvent[])).toEqual([
      "failed",
    ]);
  });
});

describe("a filter that cannot be read", () => {
  it("is refused alike in all formats, with its place and what could be there", async () => {
    const { url } = await feed.serve();
    const address = target(url, ["op == update", "op = update"]);
    for (const accept of ["*/*", "text/event-stream", "application/x-ndjson"]) {
      const response = await fetch(address, { headers: { accept } });
      expect(response.status).toBe(400);
      expect(response.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
      expect(await response.json()).toEqual(problem);
    }
    const refused: unknown = await WebSocketClient.connect(address).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UpgradeRefused);
    expect(refused).toMatchObject({ status: 400, body: problem });
  });

  const problem = {
    code: "INVALID_FILTER",
    message:
      'filter, position 4: found "="; expected a selector, a value, an operator\n  op = update\n     ^',
    hint: "Equality is ==; values are quoted",
    field: "filter",
    position: 4,
    allowed: ["a selector", "a value", "an operator"],
  };

  it("names what is near an unknown word", async () => {
    const { url } = await feed.serve();
    const response = await fetch(target(url, ["op == updated"]));
    expect(await response.json()).toMatchObject({
      hint: "Did you mean update?",
      allowed: ["create", "update", "delete", "snapshot", "version"],
    });
  });

  it("does not hold up the server, however it was made to", async () => {
    const { url } = await feed.serve();
    await feed.commit(change("long", { Text: "a".repeat(50_000) }, []));
    const hostile = ["Text matches `(a+)+$b`", "Text matches `(a|a)*$!`", "Text matches `^(a?){300}a{300}!`"];
    const page = await fetch(target(url, hostile, { ops: "update" }));
    expect(page.status).toBe(200);
    const tooMuch = await fetch(target(url, ["(".repeat(2000)]));
    expect(tooMuch.status).toBe(400);
    expect((await fetch(target(url, ["Text matches `((a{1000}){1000}){1000}`"]))).status).toBe(400);
  });
});

describe("tail --filter", () => {
  it("gives what all of its filters let pass", async () => {
    const { url } = await feed.serve();
    const flags = ["--filter", 'ClientStatus == "failed"', "--filter", "JobID == web and op == update"];
    const cli = startCli(["tail", "--url", url, "--json", "--cursor", "earliest", "--limit", "2", ...flags]);
    expect(await cli.done).toBe(0);
    const printed = cli.stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { id: string }).id);
    expect(printed).toEqual(["failed", "large"]);
  });

  it("shows where an expression is wrong, without asking the server", async () => {
    const cli = startCli(["tail", "--url", "http://127.0.0.1:1", "--filter", "Status == "]);
    expect(await cli.done).toBe(2);
    expect(cli.stderr).toContain("error: filter, position 11: the expression ends here; expected a value");
    expect(cli.stderr).toContain("error:   Status == \nerror:             ^");
  });
});

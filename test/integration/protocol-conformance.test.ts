import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROUTES } from "../../src/http/errors.ts";
import { frameSchema } from "../../src/schemas/frames-schema.ts";
import {
  HISTORY_PARAMETERS,
  JOB_VERSIONS_PARAMETERS,
  WHY_PARAMETERS,
} from "../../src/schemas/read-queries.ts";
import { ON_EXPIRED, PARAMETERS, PAYLOADS } from "../../src/schemas/subscription-schema.ts";
import { controlDraft, draft, objectChange } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { FORMAT_NAMES, readEvents, refusal } from "../support/protocol-formats.ts";
import { openStream, STREAMS } from "../support/protocol-reader.ts";
import { until } from "../support/until.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

const PROTOCOL = readFileSync(join(import.meta.dirname, "../../PROTOCOL.md"), "utf8");

/** What a section of PROTOCOL.md says, by its number. */
function section(number: number): string {
  const [, text = ""] = new RegExp(String.raw`\n## ${number}\. ([\s\S]*?)(?=\n## |$)`).exec(PROTOCOL) ?? [];
  return text;
}

/** The names in the first column of the section's tables. */
const firstColumn = (number: number) =>
  [...section(number).matchAll(/^\| (`.*?) +\|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name),
  );

let feed: TestFeed;
let url: string;
let events: string;
beforeEach(async () => {
  feed = await TestFeed.open();
  // A busy process answers a ping late.
  ({ url } = await feed.serve({ bookmarkIntervalMs: 25, pingIntervalMs: 500 }));
  events = `${url}/v1/events`;
});
afterEach(() => feed[Symbol.asyncDispose]());

/** An event of every kind that filters tell apart. */
async function commitAllKinds(): Promise<void> {
  await feed.commitObjects(
    objectChange({ resource: "jobs", namespace: "default", key: "web" }, "1", { id: "job", aspect: "spec" }),
    objectChange({ resource: "nodes", namespace: "-", key: "n1" }, "2", {
      id: "node",
      signals: ["node.down"],
      severity: "ERROR",
    }),
  );
  await feed.commit(
    draft({ id: "alloc", op: "create", type: "nomad.allocation.created", signals: ["allocation.failed"] }),
    draft({ id: "prod", namespace: "prod", aspect: "meta", severity: "WARN" }),
    controlDraft("stale", "nomad.feed.scope", {
      resource: "allocations",
      namespace: "prod",
      severity: "WARN",
    }),
    controlDraft("epoch", "nomad.feed.epoch", { resource: null, namespace: null, severity: "ERROR" }),
  );
}

describe.each(FORMAT_NAMES)("section 1 to 4, as %s:", (format) => {
  it("the same bytes in the order of the log", async () => {
    await commitAllKinds();
    const { epoch } = await feed.log.head();
    const log = await feed.log.read({ epoch, sequence: 0 }, { limit: 100 });
    const { texts } = await readEvents(format, events, { query: "cursor=earliest", count: 6 });
    expect(texts).toEqual(log.map(({ json }) => json));
  });

  it("from the cursor of any event the next one follows, with any filter", async () => {
    await feed.commitMany("a", 30);
    const { texts } = await readEvents(format, events, { query: "cursor=earliest", count: 30 });
    for (const at of [0, 13, 28]) {
      const { cursor } = JSON.parse(texts[at] ?? "") as { cursor: string };
      const query = `cursor=${cursor}&types=allocations`;
      const { texts: rest } = await readEvents(format, events, { query, count: 29 - at });
      expect(rest).toEqual(texts.slice(at + 1));
    }
  });

  it.each([
    ["types=jobs", ["job", "epoch"]],
    ["types=jobs,nodes&minSeverity=ERROR", ["node", "epoch"]],
    ["types=jobs&types=nodes", ["job", "node", "epoch"]],
    ["types=nomad.allocation.created", ["alloc", "stale", "epoch"]],
    ["types=feed", ["stale", "epoch"]],
    ["namespaces=prod", ["prod", "stale", "epoch"]],
    ["namespaces=-", ["node", "epoch"]],
    ["ops=create", ["alloc", "stale", "epoch"]],
    ["aspects=spec,meta", ["job", "prod", "stale", "epoch"]],
    ["signals=node.down,allocation.failed", ["node", "alloc", "stale", "epoch"]],
    ["subjects=jobs/default/web,nodes/-/n1", ["job", "node", "epoch"]],
    ["minSeverity=WARN", ["node", "prod", "stale", "epoch"]],
    ["types=allocations&namespaces=default&ops=create", ["alloc", "epoch"]],
  ])("%s", async (query, ids) => {
    await commitAllKinds();
    const { texts } = await readEvents(format, events, {
      query: `cursor=earliest&${query}`,
      count: ids.length,
    });
    expect(texts.map((text) => (JSON.parse(text) as { id: string }).id)).toEqual(ids);
  });

  it.each(["patch", "thin"])("payload=%s leaves out what it says, the rest stays", async (payload) => {
    await commitAllKinds();
    const whole = await readEvents(format, events, { query: "cursor=earliest", count: 6 });
    const cut = await readEvents(format, events, { query: `cursor=earliest&payload=${payload}`, count: 6 });
    expect(cut.texts[0]).not.toContain('"after"');
    expect(cut.texts).toEqual(whole.texts.map((text) => text.replace(/,"after":\{[^}]*\}/, "")));
  });

  it.each([
    ["typs=jobs", 400, { code: "INVALID_PARAMETER", field: "typs", nearest: "types" }],
    ["types=job", 400, { code: "INVALID_PARAMETER", field: "types", nearest: "jobs" }],
    ["onexpired=never", 400, { code: "INVALID_PARAMETER", field: "onexpired" }],
    [
      "payload=tiny",
      400,
      { code: "INVALID_PARAMETER", field: "payload", allowed: ["full", "patch", "thin"] },
    ],
    ["consumer=%2F", 400, { code: "INVALID_PARAMETER", field: "consumer" }],
    ["snapshot=true&cursor=earliest", 400, { code: "INVALID_PARAMETER", field: "snapshot" }],
    ["cursor=another1-1", 409, { code: "EPOCH_CHANGED", head: expect.any(String) }],
  ])("%s is refused before anything is sent", async (query, status, body) => {
    expect(await refusal(format, `${events}?${query}`)).toMatchObject({ status, body });
  });

  it("cursors that expired or are of the future are refused, and the limits are named", async () => {
    await feed.commitMany("a", 10);
    await feed.log.trim({ maxEvents: 4 });
    const { epoch } = await feed.log.head();
    expect(await refusal(format, `${events}?cursor=${epoch}-1`)).toMatchObject({
      status: 410,
      body: { code: "CURSOR_EXPIRED", floor: `${epoch}-6` },
    });
    expect(await refusal(format, `${events}?cursor=${epoch}-11`)).toMatchObject({
      status: 412,
      body: { code: "FUTURE_CURSOR", head: `${epoch}-10` },
    });
  });
});

describe.each(STREAMS)("section 5, over %s:", (format) => {
  it("hello first, valid frames, bookmarks that move over what is filtered out, one more before the end", async () => {
    await using stream = await openStream(format, `${events}?types=jobs&limit=1`);
    const opening = await stream.until(({ type }) => type === "nomad.feed.hello");
    expect(opening).toHaveLength(1);
    await feed.commitMany("filtered", 3);
    const head = await feed.headCursor();
    const quiet = await stream.until(({ data }) => data["cursor"] === head);
    await feed.commitObjects(
      objectChange({ resource: "jobs", namespace: "default", key: "web" }, "1", { id: "job" }),
    );
    const rest = await stream.until(() => false);
    expect(rest.filter(({ type }) => type !== "nomad.feed.bookmark").map(({ id }) => id)).toEqual(["job"]);
    expect(rest.at(-1)).toMatchObject({
      type: "nomad.feed.bookmark",
      data: { cursor: await feed.headCursor() },
    });
    for (const { text } of [...opening, ...quiet, ...rest].filter(({ id }) => id !== "job")) {
      expect(frameSchema.safeParse(JSON.parse(text)).error).toBeUndefined();
    }
  });

  it("an error frame last, with where to go on", async () => {
    await feed.commitMany("a", 2);
    await using stream = await openStream(format, `${events}?cursor=earliest`);
    await stream.until(({ id }) => id === "a2");
    await feed.closeServers();
    expect((await stream.until(() => false)).at(-1)).toMatchObject({
      type: "nomad.feed.error",
      data: { code: "GOING_AWAY", closeCode: 1001, cursor: await feed.headCursor() },
    });
  });
});

describe("section 1 and 6, WebSocket only:", () => {
  it.each([
    [["cloudevents.json"], "cloudevents.json"],
    [["soap", "cloudevents.json"], "cloudevents.json"],
  ])("of the subprotocols %j %s is echoed", async (offered, echoed) => {
    const client = await WebSocketClient.connect(events, offered);
    expect(client.socket.protocol).toBe(echoed);
    await client.close();
  });

  it("an unknown subprotocol is not echoed, which clients that keep to RFC 6455 take for a failure", async () => {
    await expect(WebSocketClient.connect(events, ["soap"])).rejects.toThrow("Server sent no subprotocol");
  });

  it.each(['{"ping":1.5}', '{"ack":1}', '{"ack":"a-1","ping":1}', "[]", "null", "hello", '{"cursor":"a-1"}'])(
    "%s ends the connection",
    async (message) => {
      const client = await WebSocketClient.connect(`${events}?consumer=pager`);
      client.socket.send(message);
      expect(await client.closed()).toEqual({ code: 4400, reason: "INVALID_MESSAGE" });
    },
  );

  it("pings are answered, and a client that answers none is disconnected", async () => {
    const client = await WebSocketClient.connect(events, [], { autoPong: false });
    client.socket.send('{"ping":7}');
    const frames = await client.until(({ type }) => type === "nomad.feed.pong");
    expect(frames.at(-1)?.data).toEqual({ ping: 7 });
    expect(await client.closed()).toMatchObject({ code: 1006 });
  });
});

describe("what PROTOCOL.md lists is what there is:", () => {
  it("parameters, and the values that have tables of their own", () => {
    const values = [...ON_EXPIRED, ...PAYLOADS];
    const named = new Set<string>([...PARAMETERS, ...values]);
    expect(new Set(firstColumn(3))).toEqual(named);
    expect(new Set(firstColumn(11))).toEqual(new Set(HISTORY_PARAMETERS));
    expect(new Set(firstColumn(16))).toEqual(new Set(JOB_VERSIONS_PARAMETERS));
    expect(new Set(firstColumn(17))).toEqual(new Set(WHY_PARAMETERS));
  });

  it("routes: each is answered", async () => {
    const listed = section(8);
    for (const route of ROUTES) {
      const [, path = ""] = route.split(" ");
      expect(listed + [1, 12, 13, 14, 15, 17].map(section).join("")).toContain(path);
    }
    for (const [, path = ""] of listed.matchAll(/`GET (\/[^`<]*)`/g)) {
      expect([path, (await fetch(url + path)).status]).toEqual([path, 200]);
    }
  });

  it("frames: every example is one", async () => {
    const examples = [
      ...section(5).matchAll(/\*\*`(nomad\.feed\.\w+)`\*\*[^{]*?(?:`|```json\n)(\{[^`]*\})/g),
    ];
    expect(examples.map(([, type]) => type)).toEqual([
      "nomad.feed.hello",
      "nomad.feed.gap",
      "nomad.feed.snapshot",
      "nomad.feed.bookmark",
      "nomad.feed.error",
      "nomad.feed.pong",
    ]);
    await using stream = await openStream("ndjson", `${events}?limit=1`);
    const [hello] = await stream.until(({ type }) => type === "nomad.feed.hello");
    const envelope = JSON.parse(hello?.text ?? "") as object;
    for (const [, type, data = ""] of examples) {
      const frame = { ...envelope, type, data: JSON.parse(data) as unknown };
      expect([type, frameSchema.safeParse(frame).error]).toEqual([type, undefined]);
    }
  });
});

it("a stream ends on the server when its client goes", async () => {
  for (const format of STREAMS) {
    await using stream = await openStream(format, `${events}?consumer=gone`);
    await stream.until(({ type }) => type === "nomad.feed.hello");
  }
  await until(
    "nobody is left",
    async () => !/nomad_changefeed_subscribers\{[^}]*\} [1-9]/.test(await feed.metrics.registry.metrics()),
  );
});

import { execFile, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { draft, objectChange } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { BrowserPage, CHROMIUM, NO_CHROMIUM } from "../support/chromium.ts";
import { own } from "../support/own-processes.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

/** Clients that nobody here wrote, as far as this machine has them. */
const has = (program: string) => spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
const HAS_CURL = has("curl");
const HAS_PYTHON = has("python3");
const missing = (name: string, isThere: boolean) =>
  skippedBecause(isThere ? undefined : `no ${name} in the PATH: apt-get install ${name}`);

let feed: TestFeed;
let url: string;
beforeEach(async () => {
  feed = await TestFeed.open();
  ({ url } = await feed.serve());
  await feed.commitObjects(
    objectChange({ resource: "jobs", namespace: "default", key: "web" }, "1", { id: "first" }),
  );
});
afterEach(() => feed[Symbol.asyncDispose]());

describe.skipIf(!HAS_CURL)(`curl${missing("curl", HAS_CURL)}`, () => {
  it("follows a stream as it happens", async () => {
    const curl = own(
      spawn("curl", ["-sN", `${url}/v1/events?snapshot=true`, "-H", "Accept: application/x-ndjson"], {
        stdio: ["ignore", "pipe", "ignore"],
      }),
      "curl",
    );
    const types: string[] = [];
    createInterface({ input: curl.stdout }).on("line", (line) => {
      types.push((JSON.parse(line) as { type: string }).type);
    });
    await until("the snapshot is read", () => types.length === 4);
    await feed.commit(draft({ id: "later" }));
    await until("the event is read", () => types.length === 5);
    expect(types).toEqual([
      "nomad.feed.hello",
      "nomad.feed.snapshot",
      "nomad.job.snapshot",
      "nomad.feed.snapshot",
      "nomad.allocation.updated",
    ]);
    curl.kill();
  });

  it("acks with a POST that has a form's content type, as curl -d sends it", async () => {
    const head = await feed.headCursor();
    const run = promisify(execFile);
    const { stdout } = await run("curl", ["-s", "-d", "", `${url}/v1/consumers/pager?ack=${head}`]);
    expect(JSON.parse(stdout)).toMatchObject({ name: "pager", cursor: head, behind: 0 });
  });
});

describe.skipIf(!HAS_PYTHON)(`Python's standard library${missing("python3", HAS_PYTHON)}`, () => {
  it.each(["sse", "ndjson", "websocket"])(
    "reads a snapshot, an event and the end over %s",
    async (format) => {
      await feed.commitMany("a", 2);
      const script = join(import.meta.dirname, "../support/python-client.py");
      const python = own(
        spawn("python3", [script, format, `${url}/v1/events?snapshot=true&limit=1`], {
          stdio: ["ignore", "pipe", "inherit"],
        }),
        "python3",
      );
      const lines: string[] = [];
      createInterface({ input: python.stdout }).on("line", (line) => lines.push(line));
      await until("the snapshot is read", () => lines.length === 4);
      await feed.commit(draft({ id: "later" }));
      await until("the stream has ended", () => lines.at(-1)?.startsWith("end") === true);
      expect(lines).toEqual([
        "nomad.feed.hello",
        "nomad.feed.snapshot begin",
        "nomad.job.snapshot",
        "nomad.feed.snapshot end",
        "nomad.allocation.updated",
        "nomad.feed.bookmark",
        format === "websocket" ? "end 1000 cloudevents.json" : "end",
      ]);
    },
  );
});

describe.skipIf(CHROMIUM === undefined)(`Chromium${skippedBecause(NO_CHROMIUM)}`, () => {
  it("reads with EventSource and WebSocket from a page of the same origin", async () => {
    await using page = await BrowserPage.open(CHROMIUM ?? "", `${url}/`);
    await page
      .run(`
      globalThis.seen = { onmessage: [], named: [], frames: [], opened: 0 };
      const source = new EventSource("/v1/events?snapshot=true");
      source.onopen = () => { seen.opened += 1; };
      source.onmessage = ({ data }) => seen.onmessage.push(JSON.parse(data).id.replace(/@.*/, ""));
      for (const type of ["nomad.feed.hello", "nomad.feed.snapshot", "nomad.feed.error"])
        source.addEventListener(type, ({ data }) => seen.named.push(JSON.parse(data).type));
      const socket = new WebSocket("ws://" + location.host + "/v1/events?consumer=page&cursor=earliest", "cloudevents.json");
      socket.onmessage = ({ data }) => {
        const event = JSON.parse(data);
        seen.frames.push(event.type);
        if (event.cursor) socket.send(JSON.stringify({ ack: event.cursor }));
      };
      new Promise((opened) => { socket.onopen = () => opened(socket.protocol); })
    `)
      .then((protocol) => expect(protocol).toBe("cloudevents.json"));
    const seen = () => page.run<Record<string, string[]>>("seen");
    await until("the snapshot is read", async () => (await seen())["named"]?.length === 3);
    await feed.commit(draft({ id: "later" }));
    await until("the event is read", async () => (await seen())["onmessage"]?.includes("later"));
    expect((await seen())["onmessage"]).toEqual(["jobs/default/web", "later"]);
    expect((await seen())["named"]).toEqual([
      "nomad.feed.hello",
      "nomad.feed.snapshot",
      "nomad.feed.snapshot",
    ]);
    await until(
      "the page's ack is stored",
      async () => (await feed.log.consumers.get("page"))?.cursor.sequence === 2,
    );
    expect((await seen())["frames"]).toEqual([
      "nomad.feed.hello",
      "nomad.job.updated",
      "nomad.allocation.updated",
    ]);
  });

  it("an EventSource that lost its connection goes on after the last event, without the snapshot again", async () => {
    const port = Number(new URL(url).port);
    await using page = await BrowserPage.open(CHROMIUM ?? "", `${url}/`);
    await page.run(`
      globalThis.ids = [];
      globalThis.source = new EventSource("/v1/events?snapshot=true");
      source.onmessage = ({ data }) => ids.push(JSON.parse(data).id.replace(/@.*/, ""));
      new Promise((done) => source.addEventListener("nomad.feed.snapshot", ({ data }) => JSON.parse(data).data.phase === "end" && done()))
    `);
    await feed.closeServers();
    await feed.commit(draft({ id: "while away" }));
    await feed.serve({ port });
    await until("the browser came back", () => page.run<boolean>(`ids.includes("while away")`));
    expect(await page.run("ids")).toEqual(["jobs/default/web", "while away"]);
  });

  it("a page of another origin is told by its WebSocket why it gets nothing", async () => {
    const { url: other } = await feed.serve();
    await using page = await BrowserPage.open(CHROMIUM ?? "", `${other}/`);
    const outcome = await page.run(`new Promise((done) => {
      const frames = [];
      const socket = new WebSocket("${url.replace("http", "ws")}/v1/events");
      socket.onmessage = ({ data }) => frames.push(JSON.parse(data).data.code);
      socket.onclose = ({ code }) => done([...frames, code]);
    })`);
    expect(outcome).toEqual(["FORBIDDEN", 4403]);
  });
});

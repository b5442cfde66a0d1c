import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AccessFeed } from "../support/access-feed.ts";
import { BrowserPage, CHROMIUM, NO_CHROMIUM } from "../support/chromium.ts";
import { draft } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const TOKEN = "static-token-of-the-browser-01";
const why = skippedBecause(NO_CHROMIUM);

let access: AccessFeed;
let app: TestFeed;
let url: string;
let origin: string;
beforeEach(async () => {
  access = await AccessFeed.open();
  access.writeTokens([{ name: "page", token: TOKEN, namespaces: ["*"], resources: ["*"] }]);
  // Whatever serves the page: another port is another origin.
  app = await TestFeed.open();
  ({ url: origin } = await app.serve());
  ({ url } = await access.serve({ allowOrigins: [origin] }));
});
afterEach(async () => {
  await access[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

describe.skipIf(CHROMIUM === undefined)(`Chromium, on a page of another origin${why}`, () => {
  it("reads by fetch with a token, EventSource with a ticket, WebSocket with a subprotocol", async () => {
    await access.feed.commit(draft({ id: "before" }));
    await using page = await BrowserPage.open(CHROMIUM ?? "", `${origin}/`);
    const read = await page.run(`(async () => {
      const headers = { authorization: "Bearer ${TOKEN}" };
      const answer = await fetch("${url}/v1/events", { headers });
      const [event] = await answer.json();
      const { ticket } = await (await fetch("${url}/v1/tickets", { method: "POST", headers })).json();
      globalThis.seen = [];
      const source = new EventSource("${url}/v1/events?ticket=" + ticket);
      source.onmessage = ({ data }) => seen.push("sse " + JSON.parse(data).id);
      const bearer = "bearer." + btoa("${TOKEN}").replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_");
      const socket = new WebSocket("${url.replace("http", "ws")}/v1/events", ["cloudevents.json", bearer]);
      socket.onmessage = ({ data }) => {
        const { id, cursor } = JSON.parse(data);
        if (cursor) seen.push("websocket " + id);
      };
      const opened = (target) => new Promise((done) => { target.onopen = done; });
      await Promise.all([opened(source), opened(socket)]);
      return { id: event.id, cursor: answer.headers.get("x-changefeed-cursor"), protocol: socket.protocol };
    })()`);
    expect(read).toEqual({
      id: "before",
      cursor: await access.feed.headCursor(),
      protocol: "cloudevents.json",
    });
    await access.feed.commit(draft({ id: "after" }));
    await until("both to have it", async () => (await page.run<string[]>("seen")).length === 2);
    expect((await page.run<string[]>("seen")).toSorted()).toEqual(["sse after", "websocket after"]);
  });

  it("is told by close codes why it may not", async () => {
    const closing = `((...protocols) => new Promise((done) => {
      const socket = new WebSocket("${url.replace("http", "ws")}/v1/events", protocols);
      socket.onclose = ({ code, reason }) => done(code + " " + reason);
    }))`;
    await using allowed = await BrowserPage.open(CHROMIUM ?? "", `${origin}/`);
    expect(await allowed.run(`${closing}("cloudevents.json")`)).toBe("4401 UNAUTHORIZED");
    const { url: stranger } = await app.serve();
    await using foreign = await BrowserPage.open(CHROMIUM ?? "", `${stranger}/`);
    expect(await foreign.run(`${closing}("cloudevents.json")`)).toBe("4403 FORBIDDEN");
    const fetched = `fetch("${url}/healthz").then(() => "read", () => "refused")`;
    expect([await allowed.run(fetched), await foreign.run(fetched)]).toEqual(["read", "refused"]);
  });

  it("gets nothing done where nobody is asked who they are: no work, and no consumer", async () => {
    const { url: open } = await access.feed.serve();
    await using foreign = await BrowserPage.open(CHROMIUM ?? "", `${origin}/`);
    const asked = `Promise.all(["/v1/state", "/v1/events?consumer=stolen"].map((path) =>
      fetch("${open}" + path, { mode: "no-cors" }).then(({ type }) => type, () => "refused")))`;
    await foreign.run(asked);
    expect(await access.feed.metrics.registry.metrics()).toContain('refusals_total{code="FORBIDDEN"} 2');
    expect(await access.feed.log.consumers.list()).toEqual([]);
  });
});

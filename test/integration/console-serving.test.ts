import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AccessFeed, bearer } from "../support/access-feed.ts";
import { BrowserPage, CHROMIUM, NO_CHROMIUM } from "../support/chromium.ts";
import { consoleFiles, PAGE_TEXT } from "../support/console-files.ts";
import { TestFeed } from "../support/http-feed.ts";
import { httpProxy } from "../support/http-proxy.ts";
import { skippedBecause } from "../support/skipped.ts";

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
const html = { accept: BROWSER };
const SCRIPT = "/assets/main-8f3a.js";

let feed: TestFeed;
let url: string;
beforeEach(async () => {
  feed = await TestFeed.open();
  ({ url } = await feed.serve({}, { console: await consoleFiles() }));
});
afterEach(() => feed[Symbol.asyncDispose]());

/** As it comes: fetch would undo what compresses it. */
async function raw(
  address: string,
  headers: Record<string, string> = {},
): Promise<{ status: number | undefined; headers: IncomingHttpHeaders; body: Buffer }> {
  return new Promise((resolve, reject) => {
    httpRequest(address, { headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    })
      .on("error", reject)
      .end();
  });
}

describe("the address of the server", () => {
  it("gives a browser the page, and everybody else the JSON, which says where the page is", async () => {
    const page = await fetch(url, { headers: html });
    expect(await page.text()).toBe(PAGE_TEXT);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    for (const accept of ["*/*", "application/json", "application/json, text/html;q=0.9", "text/html;q=0"]) {
      const answer = await fetch(url, { headers: { accept } });
      expect(await answer.json()).toMatchObject({ name: "nomad-changefeed", console: `${url}/` });
      expect(answer.headers.get("vary")).toContain("Accept");
    }
    expect(page.headers.get("vary")).toBe("Origin, Accept, Accept-Encoding");
  });

  it("answers HEAD as GET, without the body", async () => {
    const head = await fetch(url, { method: "HEAD", headers: html });
    expect(head.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(head.headers.get("content-length")).toBe(String(PAGE_TEXT.length));
    expect(await head.text()).toBe("");
  });

  it("is asked again for the page each time, and says so when it is the same", async () => {
    const first = await raw(`${url}/`, html);
    expect(first.headers["cache-control"]).toBe("no-cache");
    const etag = String(first.headers.etag);
    for (const known of [etag, etag.replace("W/", ""), `"other", ${etag}`]) {
      const again = await raw(`${url}/`, { ...html, "if-none-match": known });
      expect([again.status, again.body.length]).toEqual([304, 0]);
    }
    expect((await raw(`${url}/`, { ...html, "if-none-match": '"other"' })).status).toBe(200);
  });
});

describe("what the page loads", () => {
  it("stays for a year where its name says its content, and is of the right type", async () => {
    const script = await fetch(`${url}${SCRIPT}`);
    expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    const style = await fetch(`${url}/assets/main-1b2c.css`);
    expect(style.headers.get("content-type")).toBe("text/css; charset=utf-8");
    const icon = await fetch(`${url}/icon.svg`);
    expect(icon.headers.get("content-type")).toBe("image/svg+xml");
    expect(icon.headers.get("cache-control")).toBe("no-cache");
  });

  it("comes compressed as the browser takes it", async () => {
    const plain = await raw(`${url}${SCRIPT}`);
    expect(plain.headers["content-encoding"]).toBeUndefined();
    const text = plain.body.toString();
    const read = {
      br: (body: Buffer) => brotliDecompressSync(body).toString(),
      gzip: (body: Buffer) => gunzipSync(body).toString(),
    };
    for (const [accepted, coding] of [
      ["gzip, deflate, br, zstd", "br"],
      ["gzip;q=1.0, br;q=0", "gzip"],
    ] as const) {
      const { headers, body } = await raw(`${url}${SCRIPT}`, { "accept-encoding": accepted });
      expect(headers["content-encoding"]).toBe(coding);
      expect(headers.vary).toContain("Accept-Encoding");
      expect(body.length).toBeLessThan(text.length / 5);
      expect(read[coding](body)).toBe(text);
    }
  });

  it("is nothing but the files that were built, however it is asked for", async () => {
    for (const path of [
      "/assets/none.js",
      "/assets/",
      "/assets/..%2findex.html",
      "/assets/%2e%2e/%2e%2e/package.json",
      "/assets/constructor",
      "/index.html",
    ]) {
      const { status, headers } = await raw(`${url}${path}`);
      expect([path, status]).toEqual([path, 404]);
      expect(headers["content-type"]).toContain("application/problem+json");
    }
  });
});

it("the page and what it loads may do nothing but what they need", async () => {
  for (const path of ["/", SCRIPT]) {
    const { headers } = await raw(`${url}${path}`, html);
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
    });
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*/);
  }
});

it("needs no token where everything else does", async () => {
  await using access = await AccessFeed.open();
  const token = "static-token-of-the-console-01";
  access.writeTokens([{ name: "page", token, namespaces: ["*"], resources: ["*"] }]);
  const { url: guarded } = await access.serve({}, { console: await consoleFiles() });
  const status = async (path: string, headers = {}) => (await fetch(`${guarded}${path}`, { headers })).status;
  expect(await status("/", html)).toBe(200);
  expect(await status(SCRIPT)).toBe(200);
  expect(await status("/icon.svg")).toBe(200);
  expect(await status("/assets/none.js")).toBe(404);
  for (const path of ["/", "/v1/events", "/metrics", "/none"]) expect(await status(path)).toBe(401);
  expect(await status("/v1/events", html)).toBe(401);
  expect(await status("/", bearer(token))).toBe(200);
});

it("is not there where it is off: JSON for all", async () => {
  const { url: off } = await feed.serve();
  const answer = await fetch(off, { headers: html });
  expect(await answer.json()).toMatchObject({ name: "nomad-changefeed", console: null });
  expect((await fetch(`${off}${SCRIPT}`)).status).toBe(404);
});

it("tells a browser how it is built where it is not", async () => {
  const { url: bare } = await feed.serve({}, { console: await consoleFiles({}) });
  const answer = await fetch(bare, { headers: html });
  expect(answer.headers.get("content-type")).toContain("text/html");
  expect(await answer.text()).toContain("npm run build -w console");
  expect(await (await fetch(bare)).json()).toMatchObject({ console: null });
});

describe.skipIf(CHROMIUM === undefined)(`in Chromium${skippedBecause(NO_CHROMIUM)}`, () => {
  it("loads below a path of a proxy, reads the feed there in every way, and nothing elsewhere", async () => {
    using proxy = await httpProxy(() => url, { below: "/feeds/prod", upgrades: true, saysHost: true });
    const elsewhere = await feed.serve({ allowOrigins: ["*"] });
    await feed.commitMany("a", 1);
    await using page = await BrowserPage.open(CHROMIUM ?? "", `${proxy.url}/`);
    expect(await page.run("[globalThis.loaded, getComputedStyle(document.body).color]")).toEqual([
      true,
      "rgb(1, 2, 3)",
    ]);
    const reached = await page.run(`(async () => {
      const opened = (target) => new Promise((done) => {
        target.onopen = () => done(true);
        target.onerror = () => done(false);
      });
      const socket = (address) => {
        try { return opened(new WebSocket(address)); } catch { return false; }
      };
      const events = new URL("v1/events", location.href);
      return {
        fetched: (await fetch(events)).status,
        eventSource: await opened(new EventSource(events)),
        webSocket: await socket(events.href.replace("http", "ws")),
        otherFetch: await fetch("${elsewhere.url}/v1/events").then(() => true, () => false),
        otherSocket: await socket("${elsewhere.url.replace("http", "ws")}/v1/events"),
      };
    })()`);
    expect(reached).toEqual({
      fetched: 200,
      eventSource: true,
      webSocket: true,
      otherFetch: false,
      otherSocket: false,
    });
    const made = `(() => {
      try { document.body.innerHTML = "<p>made of text"; return "made"; } catch ({ name }) { return name; }
    })()`;
    expect(await page.run(made)).toBe("TypeError");
  });
});

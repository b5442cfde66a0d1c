import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import type { Cursor } from "../../src/schemas/cursor.ts";
import type { Access } from "../../src/publishers/selection/access.ts";
import { ReadScheduler } from "../../src/publishers/work/read-scheduler.ts";
import { parseExact } from "../../src/schemas/json.ts";
import { readHistory, type HistoryPage } from "../../src/publishers/pages/history.ts";
import { draft } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { nextPage } from "../support/next-page.ts";

let feed: TestFeed;
let url: string;
let nowMs = Date.parse("2026-08-22T10:00:00Z");
beforeEach(async () => {
  nowMs = Date.parse("2026-08-22T10:00:00Z");
  feed = await TestFeed.open({ clock: { ...systemClock, now: () => nowMs } });
  ({ url } = await feed.serve({}, { clock: { ...systemClock, now: () => nowMs } }));
});
afterEach(() => feed[Symbol.asyncDispose]());

async function page(path: string): Promise<{ ids: string[]; next: string | undefined; response: Response }> {
  const response = await fetch(url + path);
  expect(response.status).toBe(200);
  const events = (await response.json()) as { id: string }[];
  return { ids: events.map(({ id }) => id), next: nextPage(response), response };
}

async function refusalOf(query: string): Promise<unknown> {
  const response = await fetch(`${url}/v1/history?${query}`);
  return { status: response.status, ...((await response.json()) as object) };
}

it("answers by object, job, node, namespace, signal and severity, newest first", async () => {
  await feed.commit(
    draft({
      id: "a",
      key: "k1",
      job: "web",
      node: "n1",
      signals: ["allocation.failed"],
      severity: "ERROR",
    }),
    draft({ id: "b", key: "k2", job: "web", namespace: "prod" }),
    draft({ id: "c", key: "k1", node: "n1" }),
  );
  const idsOf = async (query: string) => (await page(`/v1/history?${query}`)).ids;
  expect(await idsOf("")).toEqual(["c", "b", "a"]);
  expect(await idsOf("subject=allocations/default/k1")).toEqual(["c", "a"]);
  expect(await idsOf("subject=allocations/prod/k1")).toEqual([]);
  expect(await idsOf("job=web")).toEqual(["b", "a"]);
  expect(await idsOf("job=web&namespace=prod")).toEqual(["b"]);
  expect(await idsOf("node=n1&order=oldest-first")).toEqual(["a", "c"]);
  expect(await idsOf("signal=allocation.failed")).toEqual(["a"]);
  expect(await idsOf("minSeverity=WARN")).toEqual(["a"]);
});

it("has the bytes of the feed", async () => {
  await feed.commit(draft({ id: "a", data: '{"ModifyTime":1795434687866379238}' }));
  const history = await (await fetch(`${url}/v1/history`)).text();
  expect(history).toContain("1795434687866379238");
  expect(history).toBe(await (await fetch(`${url}/v1/events`)).text());
});

it.each(["newest-first", "oldest-first"])(
  "pages through %s without missing or repeating any",
  async (order) => {
    await feed.commitMany("a", 23);
    const ids: string[] = [];
    let pages = 0;
    for (
      let path: string | undefined = `/v1/history?order=${order}&limit=5`;
      path !== undefined;
      pages += 1
    ) {
      const read = await page(path);
      ids.push(...read.ids);
      path = read.next;
    }
    const expected = Array.from({ length: 23 }, (_, n) => `a${n + 1}`);
    expect(ids).toEqual(order === "newest-first" ? expected.toReversed() : expected);
    expect(pages).toBe(5);
  },
);

it("reads on over what a reader may not see", async () => {
  await feed.commit(draft({ id: "hers", namespace: "prod" }));
  await feed.commitMany("a", 450);
  await feed.commit(draft({ id: "hers too", namespace: "prod" }));
  const access: Access = { name: "prod", maySee: ({ namespace }) => namespace === "prod" };
  const task = await new ReadScheduler({ maxWorkMs: 30_000, clock: systemClock }).begin();
  const request = { order: "newest-first", limit: 2 } as const;
  const { entries } = await readHistory(feed.log, task, { request, access, maxBytes: 1024 * 1024 });
  expect(entries.map(({ id }) => id)).toEqual(["hers too", "hers"]);
});

it.each(["newest-first", "oldest-first"] as const)(
  "reads %s in pages over more of what a reader may not see than one page looks at",
  async (order) => {
    await feed.commit(draft({ id: "first", namespace: "prod" }));
    await feed.commitMany("hidden", 11_000);
    await feed.commit(draft({ id: "last", namespace: "prod" }));
    const access: Access = { name: "prod", maySee: ({ namespace }) => namespace === "prod" };
    const pages: HistoryPage[] = [];
    let cursor: Cursor | undefined;
    do {
      const task = await new ReadScheduler({ maxWorkMs: 30_000, clock: systemClock }).begin();
      const request = { order, limit: 100, ...(cursor && { cursor }) };
      const read = await readHistory(feed.log, task, { request, access, maxBytes: 1024 * 1024 });
      pages.push(read);
      ({ cursor } = read);
    } while (pages.at(-1)?.more === true && pages.length < 10);
    const ids = pages.map(({ entries }) => entries.map(({ id }) => id));
    expect(ids).toEqual(order === "oldest-first" ? [["first"], [], ["last"]] : [["last"], [], ["first"]]);
  },
);

it("keeps to times of recording, from since on and before until", async () => {
  for (const id of ["early", "middle", "late"]) {
    await feed.commit(draft({ id }));
    nowMs += 60_000;
  }
  const idsOf = async (query: string) => (await page(`/v1/history?${query}`)).ids;
  expect(await idsOf("since=2m")).toEqual(["late", "middle"]);
  expect(await idsOf("until=2026-08-22T10:01:00Z")).toEqual(["early"]);
  expect(await idsOf("since=2m&until=1m")).toEqual(["middle"]);
});

it.each(["newest-first", "oldest-first"])(
  "goes on within the times that the first page was asked for, however long its reader takes, %s",
  async (order) => {
    for (const id of ["before", "first", "second", "after"]) {
      await feed.commit(draft({ id }));
      nowMs += 60_000;
    }
    const first = await page(`/v1/history?since=3m&until=1m&limit=1&order=${order}`);
    nowMs += 90_000;
    const second = await page(first.next ?? "");
    expect([...first.ids, ...second.ids].toSorted()).toEqual(["first", "second"]);
    expect(second.next === undefined ? [] : (await page(second.next)).ids).toEqual([]);
  },
);

it("says from where on retention has left anything", async () => {
  await feed.commitMany("a", 5);
  await feed.log.trim({ maxEvents: 2 });
  const { epoch } = await feed.log.head();
  const { ids, response } = await page("/v1/history");
  expect(ids).toEqual(["a5", "a4"]);
  expect(response.headers.get("x-changefeed-floor")).toBe(`${epoch}-3`);
  expect(response.headers.get("x-changefeed-cursor")).toBe(`${epoch}-4`);
  expect(await refusalOf(`cursor=${epoch}-1&order=oldest-first`)).toMatchObject({
    status: 410,
    code: "CURSOR_EXPIRED",
  });
  expect((await page(`/v1/history?cursor=${epoch}-1`)).ids).toEqual([]);
  expect(await refusalOf(`cursor=${epoch}-9`)).toMatchObject({ status: 412, code: "FUTURE_CURSOR" });
  expect(await refusalOf("cursor=another1-1")).toMatchObject({ status: 409, code: "EPOCH_CHANGED" });
});

it.each([
  ["jobs=web", { field: "jobs", nearest: "job" }],
  ["subject=web", { field: "subject", allowed: ["<resource>/<namespace>/<key>"] }],
  ["job=", { field: "job" }],
  ["signal=allocation.fail", { field: "signal", nearest: "allocation.failed" }],
  ["order=newest", { field: "order", allowed: ["newest-first", "oldest-first"] }],
  ["limit=1001", { field: "limit" }],
  ["until=tomorrow", { field: "until" }],
  ["cursor=latest", { field: "cursor" }],
])("refuses %s", async (query, problem) => {
  expect(await refusalOf(query)).toMatchObject({ status: 400, code: "INVALID_PARAMETER", ...problem });
});

it("has line breaks where `pretty` asks for them, with every digit, as errors have", async () => {
  await feed.commit(draft({ id: "a", key: "k1" }));
  for (const path of ["/v1/history", "/v1/events?cursor=earliest", "/v1/history?limit=0", "/v1/data/none"]) {
    const plain = await (await fetch(url + path)).text();
    const response = await fetch(`${url}${path}${path.includes("?") ? "&" : "?"}pretty`);
    const pretty = await response.text();
    expect(pretty).toBe(`${JSON.stringify(parseExact(plain), null, 4)}\n`);
    expect(response.headers.get("content-length")).toBe(String(Buffer.byteLength(pretty)));
  }
});

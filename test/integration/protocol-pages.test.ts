import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { controlDraft, draft } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { nextPage } from "../support/next-page.ts";

const START_MS = Date.parse("2026-08-22T10:00:00Z");

let feed: TestFeed;
let url: string;
let nowMs: number;
beforeEach(async () => {
  nowMs = START_MS;
  const clock = { ...systemClock, now: () => nowMs };
  feed = await TestFeed.open({ clock });
  ({ url } = await feed.serve({}, { clock }));
});
afterEach(() => feed[Symbol.asyncDispose]());

interface Shown {
  readonly ids: string[];
  readonly next: string | undefined;
  readonly cursor: string | null;
  readonly head: string | null;
  readonly floor: string | null;
  readonly gap: string | null;
}

async function page(path: string): Promise<Shown> {
  const response = await fetch(url + path);
  expect([path, response.status]).toEqual([path, 200]);
  const events = (await response.json()) as { id: string }[];
  const header = (name: string) => response.headers.get(`x-changefeed-${name}`);
  return {
    ids: events.map(({ id }) => id),
    next: nextPage(response),
    cursor: header("cursor"),
    head: header("head"),
    floor: header("floor"),
    gap: header("gap"),
  };
}

const back = (query = "") => page(`/v1/events?order=newest-first${query}`);

/** Ids of a page and of all that follow it. */
async function pagesFrom(first: Shown): Promise<string[][]> {
  const all = [first.ids];
  for (let { next } = first; next !== undefined;) {
    const shown = await page(next);
    all.push(shown.ids);
    ({ next } = shown);
  }
  return all;
}

async function refusalOf(query: string, accept = "application/json"): Promise<unknown> {
  const response = await fetch(`${url}/v1/events?${query}`, { headers: { accept } });
  return { status: response.status, ...((await response.json()) as object) };
}

describe("pages that go back in time", () => {
  it("lead from the newest event to the oldest, where there is no next page", async () => {
    await feed.commitMany("a", 7);
    const first = await back("&limit=3");
    expect(first).toMatchObject({ head: await feed.headCursor(), gap: null });
    // Whatever comes is not their business.
    await feed.commitMany("b", 2);
    expect(await pagesFrom(first)).toEqual([["a7", "a6", "a5"], ["a4", "a3", "a2"], ["a1"]]);
    expect((await page(`/v1/events?cursor=${first.head}`)).ids).toEqual(["b1", "b2"]);
  });

  it("have no next page where the last one is full", async () => {
    await feed.commitMany("a", 4);
    expect(await pagesFrom(await back("&limit=2"))).toEqual([
      ["a4", "a3"],
      ["a2", "a1"],
    ]);
  });

  it("of an empty log: nothing, and nothing more", async () => {
    const { epoch } = await feed.log.head();
    expect(await back()).toMatchObject({ ids: [], next: undefined, cursor: `${epoch}-0`, gap: null });
  });

  it("end at what retention left, without a gap; before it nothing is left", async () => {
    await feed.commitMany("a", 6);
    const { epoch } = await feed.log.head();
    await feed.log.trim({ maxEvents: 2 });
    expect(await back()).toMatchObject({
      ids: ["a6", "a5"],
      next: undefined,
      floor: `${epoch}-4`,
      gap: null,
    });
    expect(await back(`&cursor=${epoch}-2`)).toMatchObject({ ids: [], next: undefined });
    // Nobody knows whether what is gone was asked for.
    expect(await back("&since=1h")).toMatchObject({ ids: ["a6", "a5"], gap: "true" });
    const first = await back("&since=1h&limit=1");
    expect(first).toMatchObject({ ids: ["a6"], gap: null });
    expect(await page(first.next ?? "")).toMatchObject({ ids: ["a5"], gap: "true" });
  });

  it("lie between since and until, which stay the same times from page to page", async () => {
    for (const id of ["a", "b", "c", "d", "e"]) {
      await feed.commit(draft({ id }));
      nowMs += 60_000;
    }
    const first = await back("&since=4m&until=1m&limit=1");
    expect(first.ids).toEqual(["d"]);
    nowMs += 3_600_000;
    expect(await pagesFrom(first)).toEqual([["d"], ["c"], ["b"]]);
  });

  it("hold what was chosen, and control events that bear on it", async () => {
    await feed.commit(
      draft({ id: "old", resource: "jobs", type: "nomad.job.updated", key: "web" }),
      controlDraft("jobs are stale", "nomad.feed.scope", { resource: "jobs", namespace: "default" }),
      controlDraft("nodes are stale", "nomad.feed.scope", { resource: "nodes", namespace: "-" }),
      draft({ id: "other", resource: "jobs", type: "nomad.job.updated", key: "api" }),
      draft({ id: "new", resource: "jobs", type: "nomad.job.updated", key: "web", severity: "WARN" }),
    );
    expect((await back("&subjects=jobs/default/web")).ids).toEqual(["new", "jobs are stale", "old"]);
    expect((await back('&types=jobs&filter=resource.id=="web"')).ids).toEqual([
      "new",
      "jobs are stale",
      "old",
    ]);
    expect((await back("&minSeverity=WARN")).ids).toEqual(["new"]);
    expect((await back("&types=feed")).ids).toEqual(["nodes are stale", "jobs are stale"]);
    const response = await fetch(`${url}/v1/events?order=newest-first&payload=thin&limit=1`);
    expect(await response.json()).toEqual([expect.objectContaining({ data: { op: "update", signals: [] } })]);
  });

  it("hold little, and go on, where there is much to look at and nothing to find", async () => {
    await feed.commit(draft({ id: "needle", aspect: "spec" }));
    await feed.commitMany("hay", 5000);
    const first = await back("&aspects=spec");
    const all = await pagesFrom(first);
    expect(all.flat()).toEqual(["needle"]);
  });

  it.each([
    ["cursor=another1-1", 409, { code: "EPOCH_CHANGED" }],
    ["cursor=earliest", 400, { code: "INVALID_PARAMETER", field: "cursor" }],
    ["consumer=pager", 400, { code: "INVALID_PARAMETER", field: "consumer" }],
    ["onexpired=earliest", 400, { code: "INVALID_PARAMETER", field: "onexpired" }],
    ["until=tomorrow", 400, { code: "INVALID_PARAMETER", field: "until" }],
  ])("refuse %s", async (query, status, body) => {
    expect(await refusalOf(`order=newest-first&${query}`)).toMatchObject({ status, ...body });
  });

  it("refuse a cursor of the future", async () => {
    const { epoch } = await feed.log.head();
    expect(await refusalOf(`order=newest-first&cursor=${epoch}-1`)).toMatchObject({
      status: 412,
      code: "FUTURE_CURSOR",
    });
  });
});

it.each(["order=newest-first", "order=oldest-first", "until=1h"])(
  "streams refuse %s, in words of their own",
  async (query) => {
    expect(await refusalOf(query, "application/x-ndjson")).toMatchObject({
      status: 400,
      code: "INVALID_PARAMETER",
      field: query.split("=", 1)[0],
      message: "A stream goes on with whatever comes",
    });
  },
);

it("until ends the pages that go forwards, once something later is there", async () => {
  await feed.commitMany("a", 3);
  nowMs += 60_000;
  const until = new Date(nowMs).toISOString();
  const first = await page(`/v1/events?until=${until}`);
  expect(first.ids).toEqual(["a1", "a2", "a3"]);
  expect(first.next).toBeDefined();
  await feed.commitMany("b", 1);
  expect(await page(first.next ?? "")).toMatchObject({ ids: [], next: undefined });
  expect(await pagesFrom(await page(`/v1/events?until=${until}&limit=2`))).toEqual([["a1", "a2"], ["a3"]]);
});

describe("one event", () => {
  const answerOf = async (cursor: string) => {
    const response = await fetch(`${url}/v1/events/${cursor}`);
    const text = await response.text();
    return { status: response.status, type: response.headers.get("content-type"), text };
  };

  it("has the bytes that it has in the feed", async () => {
    await feed.commit(draft({ id: "a", data: '{"ModifyTime":1795434687866379238}' }), draft({ id: "b" }));
    const { epoch } = await feed.log.head();
    const [entry] = await feed.log.read({ epoch, sequence: 0 }, { limit: 1 });
    expect(await answerOf(`${epoch}-1`)).toEqual({
      status: 200,
      type: "application/cloudevents+json; charset=utf-8",
      text: `${entry?.json}\n`,
    });
  });

  it("that is not there is refused by the kind of its absence", async () => {
    await feed.commitMany("a", 3);
    const { epoch } = await feed.log.head();
    expect(await answerOf(`${epoch}-0`)).toMatchObject({
      status: 404,
      text: expect.stringContaining("NO_EVENT"),
    });
    await feed.log.trim({ maxEvents: 1 });
    const codes = await Promise.all(
      [`${epoch}-2`, "another1-3", `${epoch}-4`, "nonsense"].map(async (cursor) => {
        const { status, text } = await answerOf(cursor);
        return [status, (JSON.parse(text) as { code: string }).code];
      }),
    );
    expect(codes).toEqual([
      [410, "CURSOR_EXPIRED"],
      [409, "EPOCH_CHANGED"],
      [412, "FUTURE_CURSOR"],
      [400, "INVALID_PARAMETER"],
    ]);
    expect((await answerOf(`${epoch}-3`)).status).toBe(200);
    expect((await answerOf(`${epoch}-3?payload=thin`)).status).toBe(400);
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { draft, objectChange } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { frameName, openStream, STREAMS } from "../support/protocol-reader.ts";

let feed: TestFeed;
beforeEach(async () => {
  feed = await TestFeed.open();
  await feed.commitMany("a", 9);
  await feed.commitObjects(
    objectChange({ resource: "jobs", namespace: "default", key: "web" }, "1", { id: "a10" }),
  );
  await feed.log.trim({ maxEvents: 3 });
});
afterEach(() => feed[Symbol.asyncDispose]());

const ANCIENT = "another1-5";

describe.each(STREAMS)("onexpired over %s", (format) => {
  it("earliest says what is missing and goes on from the oldest event kept", async () => {
    const { url } = await feed.serve();
    const { epoch } = await feed.log.head();
    const target = `${url}/v1/events?cursor=${epoch}-2&onexpired=earliest&limit=3`;
    await using stream = await openStream(format, target);
    const frames = await stream.until(() => false);
    expect(frames.map(frameName)).toEqual(["hello", "gap", "a8", "a9", "a10", "bookmark"]);
    expect(frames[0]?.data).toMatchObject({ gap: true, cursor: `${epoch}-7` });
    expect(frames[1]?.data).toEqual({
      reason: "expired",
      wanted: `${epoch}-2`,
      cursor: `${epoch}-7`,
      missed: 5,
    });
  });

  it("snapshot makes up for what is missing with the objects", async () => {
    const { url } = await feed.serve();
    const { epoch } = await feed.log.head();
    const target = `${url}/v1/events?cursor=${epoch}-2&onexpired=snapshot&limit=1`;
    await using stream = await openStream(format, target);
    const opening = await stream.until(({ data }) => data["phase"] === "end");
    await feed.commit(draft({ id: "later" }));
    const frames = [...opening, ...(await stream.until(() => false))];
    expect(frames.map(frameName)).toEqual([
      "hello",
      "gap",
      "snapshot begin",
      "object jobs/default/web",
      "snapshot end",
      "later",
      "bookmark",
    ]);
    expect(frames[1]?.data).toEqual({
      reason: "expired",
      wanted: `${epoch}-2`,
      cursor: `${epoch}-10`,
      missed: 8,
    });
    expect(frames[2]?.data["cursor"]).toBe(`${epoch}-10`);
  });

  it.each(["earliest", "snapshot"])("%s goes on in the present epoch", async (onexpired) => {
    const { url } = await feed.serve();
    const { epoch } = await feed.log.head();
    await using stream = await openStream(
      format,
      `${url}/v1/events?cursor=${ANCIENT}&onexpired=${onexpired}`,
    );
    const frames = await stream.until(
      ({ type, data }) => type.endsWith("updated") || data["phase"] === "begin",
    );
    const cursor = `${epoch}-${onexpired === "earliest" ? 7 : 10}`;
    expect(frames[1]?.data).toEqual({ reason: "epoch-changed", wanted: ANCIENT, cursor });
    expect(frames.map(frameName)).toEqual([
      "hello",
      "gap",
      onexpired === "earliest" ? "a8" : "snapshot begin",
    ]);
  });

  it("changes nothing where the cursor is good", async () => {
    const { url } = await feed.serve();
    const { epoch } = await feed.log.head();
    await using stream = await openStream(
      format,
      `${url}/v1/events?cursor=${epoch}-9&onexpired=snapshot&limit=1`,
    );
    expect((await stream.until(() => false)).map(frameName)).toEqual(["hello", "a10", "bookmark"]);
  });
});

describe("onexpired of other requests", () => {
  it("fail is the default, and no choice helps a cursor from the future", async () => {
    const { url } = await feed.serve();
    const { epoch } = await feed.log.head();
    const codeOf = async (query: string) => {
      const response = await fetch(`${url}/v1/events?${query}`);
      return [response.status, ((await response.json()) as { code: string }).code];
    };
    expect(await codeOf(`cursor=${epoch}-2`)).toEqual([410, "CURSOR_EXPIRED"]);
    expect(await codeOf(`cursor=${epoch}-2&onexpired=fail`)).toEqual([410, "CURSOR_EXPIRED"]);
    expect(await codeOf(`cursor=${ANCIENT}&onexpired=fail`)).toEqual([409, "EPOCH_CHANGED"]);
    expect(await codeOf(`cursor=${epoch}-99&onexpired=earliest`)).toEqual([412, "FUTURE_CURSOR"]);
  });

  it("a page says in a header that something is missing", async () => {
    const { url } = await feed.serve();
    const page = await fetch(`${url}/v1/events?cursor=${ANCIENT}&onexpired=earliest`);
    expect(page.headers.get("x-changefeed-gap")).toBe("true");
    expect(await page.json()).toMatchObject([{ id: "a8" }, { id: "a9" }, { id: "a10" }]);
  });
});

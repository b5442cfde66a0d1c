import { afterEach, beforeEach, expect, it } from "vitest";
import { TestFeed } from "../support/http-feed.ts";

let feed: TestFeed;
beforeEach(async () => {
  feed = await TestFeed.open();
});
afterEach(() => feed[Symbol.asyncDispose]());

it.each(["/v1/events?limit=1000", "/v1/history?limit=1000&order=oldest-first"])(
  "%s of much is small, whoever asks for it and reads nothing, and leads on to all of it",
  async (first) => {
    const ids = await feed.commitMany("a", 300, 10_000);
    const { url } = await feed.serve();
    const got: string[] = [];
    for (let path: string | undefined = first; path !== undefined && got.length < ids.length;) {
      const answer = await fetch(`${url}${path}`);
      const text = await answer.text();
      expect(text.length).toBeLessThan(1.1 * 1024 * 1024);
      got.push(...(JSON.parse(text) as { id: string }[]).map(({ id }) => id));
      path = /<(.*)>; rel="next"/.exec(answer.headers.get("link") ?? "")?.[1];
    }
    expect(got).toEqual(ids);
  },
);

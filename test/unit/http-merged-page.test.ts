import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import type { FeedMount } from "../../src/http/feeds/feed-mount.ts";
import { mergedPage } from "../../src/http/feeds/merged/page.ts";
import { questionOf } from "../../src/http/feeds/merged/question.ts";
import type { Answer } from "../../src/http/feeds/mount.ts";

const NOW_MS = Date.parse("2026-08-22T10:00:00Z");

/** A feed that is there or not, and what it is asked. */
function feedNamed(name: string) {
  const asked: URLSearchParams[] = [];
  const headers = { "x-changefeed-cursor": `${name}-7`, "x-changefeed-head": `${name}-7` };
  let answer: Answer | undefined = { status: 200, headers, body: "[]\n" };
  const ask = async (path: string): Promise<Answer | undefined> => {
    asked.push(new URL(path, "http://feed").searchParams);
    return answer;
  };
  return {
    mount: { name, ask } as unknown as FeedMount,
    asked,
    goAway: () => (answer = undefined),
    comeBack: () => (answer = { status: 200, headers, body: "[]\n" }),
  };
}

async function pageOf(query: string, feeds: readonly FeedMount[]): Promise<URLSearchParams> {
  const message = { url: `/v1/events?${query}`, headers: {} } as IncomingMessage;
  const { headers } = await mergedPage(message, questionOf(message, NOW_MS, "page"), feeds);
  return new URLSearchParams({ cursor: String(headers["x-changefeed-cursor"]) });
}

test.each([
  ["since=1h", { since: "2026-08-22T09:00:00.000Z" }],
  ["cursor=latest", { since: "2026-08-22T10:00:00.000Z" }],
  ["", { cursor: "earliest" }],
])(
  "a feed that is away at the first page begins later where the others began: %j",
  async (query, expected) => {
    const [eu, us] = [feedNamed("eu"), feedNamed("us")];
    const feeds = [eu.mount, us.mount];
    eu.goAway();
    const second = await pageOf(query, feeds);
    const third = await pageOf(second.toString(), feeds);
    eu.comeBack();
    const fourth = await pageOf(third.toString(), feeds);
    expect(Object.fromEntries(eu.asked.at(-1) ?? [])).toEqual(expected);
    expect(Object.fromEntries(us.asked.at(-1) ?? [])).toEqual({ cursor: "us-7" });
    expect(fourth.get("cursor")).toBe("eu:eu-7,us:us-7");
  },
);

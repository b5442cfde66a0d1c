import { describe, expect, it } from "vitest";
import { LogUnavailable } from "../../src/feed/errors.ts";
import type { StoredDocument } from "../../src/feed/log.ts";
import { isOwnOrigin } from "../../src/http/access/own-page.ts";
import { SealedTokens } from "../../src/http/access/sealed-tokens.ts";
import { SOURCE } from "../support/drafts.ts";
import { TestClock } from "../support/test-clock.ts";

/** The key's document; `beforeGet` is waited for by each reading of it. */
class KeyDocument {
  beforeGet: () => Promise<void> = async () => undefined;
  readings = 0;
  #stored: StoredDocument | undefined;

  async get(): Promise<StoredDocument | undefined> {
    this.readings += 1;
    await this.beforeGet();
    return this.#stored;
  }

  async claim(name: string, owner: string): Promise<StoredDocument> {
    return (this.#stored = { name, owner, fence: 1, text: null, updatedAt: "" });
  }

  async change(name: string, fence: number, text: string): Promise<StoredDocument> {
    return (this.#stored = { name, owner: "", fence: fence + 1, text, updatedAt: "" });
  }
}

describe("the first requests of a session after a restart", () => {
  const clock = new TestClock();
  const restarted = async () => {
    const documents = new KeyDocument();
    const cookie = await new SealedTokens({ documents, source: SOURCE, clock }).seal("token", 60_000);
    documents.readings = 0;
    return { documents, cookie, tokens: new SealedTokens({ documents, source: SOURCE, clock }) };
  };

  it("that come together have the key read once, and all are let in", async () => {
    const { documents, cookie, tokens } = await restarted();
    const reading = Promise.withResolvers<void>();
    documents.beforeGet = () => reading.promise;
    const all = [1, 2, 3].map(() => tokens.open(cookie));
    reading.resolve();
    expect(await Promise.all(all)).toEqual(["token", "token", "token"]);
    expect(documents.readings).toBe(1);
  });

  it("say that the log is away where it is, and are let in once it is back", async () => {
    const { documents, cookie, tokens } = await restarted();
    documents.beforeGet = () => Promise.reject(new LogUnavailable("away"));
    const refused = await Promise.allSettled([tokens.open(cookie), tokens.open(cookie)]);
    expect(refused).toMatchObject([
      { reason: { code: "LOG_UNAVAILABLE" } },
      { reason: { code: "LOG_UNAVAILABLE" } },
    ]);
    documents.beforeGet = async () => undefined;
    expect(await tokens.open(cookie)).toBe("token");
  });

  it("have the key read no more often than every 10 s, whatever they bring", async () => {
    const { documents, cookie, tokens } = await restarted();
    for (const bad of ["AAAA", cookie.slice(1), cookie]) await tokens.open(bad);
    expect(documents.readings).toBe(1);
  });
});

describe("a page's origin", () => {
  it.each<[what: string, origin: string, headers: Record<string, string | string[]>, expected: boolean]>([
    ["as the browser asked for it", "http://feed.example:4650", { host: "Feed.example:4650" }, true],
    ["of another host", "http://evil.example", { host: "feed.example" }, false],
    ["as a proxy was asked", "https://feed.example", { "x-forwarded-host": "feed.example" }, true],
    [
      "as the first proxy was asked",
      "https://feed.example",
      { "x-forwarded-host": "feed.example, in" },
      true,
    ],
    ["in two headers", "https://feed.example", { "x-forwarded-host": ["feed.example", "in"] }, true],
    ["of a proxy in between", "https://in", { "x-forwarded-host": "feed.example, in" }, false],
    ["named like what no proxy said", "http://undefined", { host: "feed.example" }, false],
    ["without a host, where none was said", "file:///x", { host: "", "x-forwarded-host": "" }, false],
  ])("%s", (_what, origin, headers, expected) => {
    expect(isOwnOrigin(origin, headers)).toBe(expected);
  });
});

import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { draft } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { nextPage } from "../support/next-page.ts";
import { until } from "../support/until.ts";

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
      path = nextPage(answer);
    }
    expect(got).toEqual(ids);
  },
);

it("serves everybody shorter pages while many ask for long ones and read nothing, and long ones afterwards", async () => {
  await feed.commitMany("a", 300, 10_000);
  const { url } = await feed.serve();
  const pageBytes = async () => (await (await fetch(`${url}/v1/events?limit=1000`)).text()).length;
  expect(await pageBytes()).toBeGreaterThan(1024 * 1024);
  const sockets = Array.from({ length: 100 }, () => askAndReadNothing(url, "/v1/events?limit=1000"));
  try {
    let bytes = Number.NaN;
    await until("pages are short", async () => (bytes = await pageBytes()) < 100_000);
    expect(bytes).toBeGreaterThan(10_000);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  await until("pages are long again", async () => (await pageBytes()) > 1024 * 1024);
});

/** Ten times over: what the kernel takes for the connection is not held by the server. */
function askAndReadNothing(url: string, path: string, times = 10): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("error", () => undefined).pause();
  socket.write(`GET ${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n\r\n`.repeat(times));
  return socket;
}

it("refuses data that was cut from events while as much waits unread as may, and gives it again afterwards", async () => {
  const cursors: string[] = [];
  for (let n = 0; n < 6; n += 1) {
    cursors.push(
      await feed.commit(draft({ id: `large-${n}`, overflow: JSON.stringify("x".repeat(18 << 20)) })),
    );
  }
  const { url } = await feed.serve();
  const sockets = cursors.slice(0, 5).map((cursor) => askAndReadNothing(url, `/v1/data/${cursor}`, 1));
  const ask = () => fetch(`${url}/v1/data/${cursors[5]}`);
  try {
    const refused = await until("it is refused", async () => {
      const answer = await ask();
      if (answer.status === 429) return answer;
      await answer.text();
      return undefined;
    });
    expect(refused.headers.get("retry-after")).toBe("5");
    expect(await refused.json()).toMatchObject({
      code: "LIMIT",
      message: "Too many answers wait for their readers",
    });
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  await until("it is given again", async () => (await ask()).ok);
});

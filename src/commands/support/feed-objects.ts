import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { Io } from "../io.ts";
import { FeedRefused, requestFeed, type FeedAddress } from "./feed-request.ts";

/**
 * The objects of GET /v1/state, each as its JSON, as fast as `take` takes them. Answers the cursor at which they are true.
 * @throws UsageError, FeedRefused, FeedUnreachable
 */
export function feedObjects(
  address: FeedAddress,
  parameters: Readonly<Record<string, string | readonly string[] | undefined>>,
  io: Io,
  take: (json: string) => Promise<void>,
): Promise<{ readonly cursor: string }> {
  const query = new URLSearchParams();
  for (const [name, given] of Object.entries(parameters)) {
    for (const value of [given ?? []].flat()) query.append(name, value);
  }
  const question = { path: `/v1/state?${query.toString()}`, headers: { accept: "application/x-ndjson" } };
  return requestFeed(address, question, io, async (response) => {
    const body = response.body === null ? Readable.from([]) : Readable.fromWeb(response.body);
    for await (const line of createInterface({ input: body, crlfDelay: Infinity })) {
      if (line.includes('"type":"nomad.feed.error"')) throw brokenOff(line);
      await take(line);
    }
    return { cursor: response.headers.get("x-changefeed-cursor") ?? "" };
  });
}

/** An object's own text cannot be mistaken for it: a quote in a text is escaped. */
function brokenOff(line: string): FeedRefused {
  const { data } = JSON.parse(line) as { data: { message: string; hint?: string } };
  return new FeedRefused(data.message, data);
}

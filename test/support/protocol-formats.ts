import { expect } from "vitest";
import { openStream, STREAMS, type StreamName } from "./protocol-reader.ts";
import { UpgradeRefused, type ReceivedEvent } from "./websocket-client.ts";

/** The four ways to read `/v1/events`. */
export const FORMAT_NAMES = [...STREAMS, "page"] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];

const isStream = (format: FormatName): format is StreamName => format !== "page";

/** The events of the log that a request gives, as text, and the frames of its connection by type. */
export interface Read {
  readonly texts: readonly string[];
  readonly frames: readonly ReceivedEvent[];
}

/** Reads `count` events in any format: a stream up to its limit, pages until they are there. */
export async function readEvents(
  format: FormatName,
  target: string,
  { query, count }: { query: string; count: number },
): Promise<Read> {
  if (!isStream(format)) return { texts: await readPages(`${target}?${query}`, count), frames: [] };
  await using stream = await openStream(format, `${target}?${query}&limit=${count}`);
  const events = await stream.until(() => false);
  const isFrame = ({ text }: ReceivedEvent) => !("sequence" in (JSON.parse(text) as object));
  return {
    texts: events.filter((event) => !isFrame(event)).map(({ text }) => text),
    frames: events.filter(isFrame),
  };
}

async function readPages(start: string, count: number): Promise<string[]> {
  const texts: string[] = [];
  for (let address = new URL(start); texts.length < count;) {
    const response = await fetch(address);
    expect(response.status).toBe(200);
    // One event a line: the bytes can be taken as they are.
    const body = await response.text();
    texts.push(
      ...body
        .slice(1, -2)
        .split(",\n")
        .filter((text) => text !== ""),
    );
    const next = /<(.*)>; rel="next"/.exec(response.headers.get("link") ?? "")?.[1] ?? "";
    expect(
      texts.length < count &&
        response.headers.get("x-changefeed-cursor") === response.headers.get("x-changefeed-head"),
    ).toBe(false);
    address = new URL(next, address);
  }
  return texts.slice(0, count);
}

/** How a request is refused before anything is sent. */
export async function refusal(
  format: FormatName,
  url: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  if (format === "websocket") {
    const refused = await openStream(format, url).catch((error: unknown) => error);
    if (!(refused instanceof UpgradeRefused)) throw new Error("The upgrade was not refused");
    return refused;
  }
  const accept = { sse: "text/event-stream", ndjson: "application/x-ndjson", page: "*/*" }[format];
  const response = await fetch(url, { headers: { accept } });
  expect(response.headers.get("content-type")).toContain("application/problem+json");
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

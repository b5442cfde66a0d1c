import { request, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import type { Clock } from "../../../shared/clock.ts";
import type { FeedMount } from "../feed-mount.ts";

/** One message of a feed's own stream. */
export interface StreamMessage {
  readonly json: string;
  readonly cursor: string | undefined;
  /** Absent: it is an event of the log. */
  readonly type: string | undefined;
}

/** A feed that does not answer so long keeps the others from nobody. */
const ANSWER_WITHIN_MS = 2000;
/** Of whoever asks, but for what belongs to the connection, or to another form. */
const NOT_PASSED_ON =
  /^(connection|upgrade|sec-websocket-(?!protocol$).*|accept|accept-encoding|last-event-id|content-.*|transfer-encoding|keep-alive)$/;

/** The question is wrong, whoever asks, or leads to nothing any more. */
export function isMistake(response: IncomingMessage): boolean {
  const status = response.statusCode ?? 0;
  return status >= 400 && status < 500 && mayBeSeen(response) && status !== 429;
}

/** Whether the feed lets in whoever asks. */
export function mayBeSeen({ statusCode }: IncomingMessage): boolean {
  return statusCode !== 401 && statusCode !== 403;
}

/** What a feed answers in place of a stream. */
export async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/**
 * A feed's own stream, within the process, as whoever asks would get it; undefined where the feed is not served. Rejects
 * where it goes away before it answers, or does not answer in time.
 */
export async function openUpstream(
  feed: FeedMount,
  message: IncomingMessage,
  { query, signal, clock }: { query: URLSearchParams; signal: AbortSignal; clock: Pick<Clock, "after"> },
): Promise<IncomingMessage | undefined> {
  const socket = feed.connect(message.socket.remoteAddress ?? "");
  if (socket === undefined) return undefined;
  const headers = Object.fromEntries(
    Object.entries(message.headers).filter(([name]) => !NOT_PASSED_ON.test(name)),
  ) as IncomingHttpHeaders;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const asked = request({
    createConnection: () => socket,
    path: `/v1/events?${query.toString()}`,
    headers: { ...headers, accept: "text/event-stream" },
    signal,
  });
  asked.once("response", resolve).on("error", reject).end();
  const inTime = clock.after(ANSWER_WITHIN_MS, () => asked.destroy(new Error("it does not answer")));
  return promise.finally(inTime);
}

/** The messages of a stream, until it ends or breaks. */
export async function* messagesOf(response: IncomingMessage): AsyncGenerator<StreamMessage> {
  response.setEncoding("utf8");
  let rest = "";
  for await (const chunk of response as AsyncIterable<string>) {
    const blocks = (rest + chunk).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const message = messageOf(block);
      if (message !== undefined) yield message;
    }
  }
}

function messageOf(block: string): StreamMessage | undefined {
  const fields = new Map<string, string>();
  for (const line of block.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 2));
  }
  const json = fields.get("data");
  return json === undefined ? undefined : { json, cursor: fields.get("id"), type: fields.get("event") };
}

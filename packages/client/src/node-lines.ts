import type { IncomingMessage } from "node:http";
import type { SocketListener } from "./socket.ts";

/**
 * Whether this answer to an opening is the stream itself, in lines: a proxy passed the request on without its
 * `Upgrade`, and the server did what `Accept` asks.
 */
export function isLineStream({ statusCode, headers }: IncomingMessage): boolean {
  return statusCode === 200 && /^application\/x-ndjson\b/.test(headers["content-type"] ?? "");
}

/** Tells each line as a WebSocket would tell a message. The close code is in the error frame before the end. */
export function readLines(response: IncomingMessage, listener: SocketListener): void {
  let rest = "";
  listener.onOpened();
  response
    .setEncoding("utf8")
    .on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "") listener.onAlive();
        else listener.onText(line);
      }
    })
    .on("error", () => undefined)
    .on("close", () => listener.onClosed(NO_CLOSE_FRAME));
}

const NO_CLOSE_FRAME = 1006;

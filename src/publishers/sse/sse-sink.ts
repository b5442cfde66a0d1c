import type { ServerResponse } from "node:http";
import { every, type Clock } from "../../shared/clock.ts";
import type { Frame } from "../connection/sink.ts";
import { HttpSink } from "../connection/http-sink.ts";

/**
 * Server-Sent Events. Events of the log have no `event:`, so that `onmessage` of a browser's EventSource gets
 * them all and nothing else; frames of the connection carry theirs.
 */
export class SseSink extends HttpSink {
  constructor(
    response: ServerResponse,
    { heartbeatIntervalMs, clock }: { heartbeatIntervalMs: number; clock: Clock },
  ) {
    super(response, {
      format: "sse",
      contentType: "text/event-stream; charset=utf-8",
      encode: sseMessage,
      clock,
    });
    const beat = () => this.writeIfIdle(": still here\n\n");
    response.once("close", every(clock, heartbeatIntervalMs, beat));
  }
}

export function sseMessage({ json, cursor, connectionType }: Frame): Buffer {
  const id = cursor === undefined ? "" : `id: ${cursor}\n`;
  const event = connectionType === undefined ? "" : `event: ${connectionType}\n`;
  return Buffer.from(`${id}${event}data: ${json}\n\n`);
}

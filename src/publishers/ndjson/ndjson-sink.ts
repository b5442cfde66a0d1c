import type { ServerResponse } from "node:http";
import type { Clock } from "../../shared/clock.ts";
import { HttpSink } from "../connection/http-sink.ts";
import type { Frame } from "../connection/sink.ts";

/** One CloudEvent a line; bookmarks are lines too and keep the connection alive. */
export class NdjsonSink extends HttpSink {
  constructor(response: ServerResponse, clock: Clock) {
    super(response, {
      format: "ndjson",
      contentType: "application/x-ndjson; charset=utf-8",
      encode: ndjsonLine,
      clock,
    });
  }
}

function ndjsonLine({ json }: Frame): Buffer {
  return Buffer.from(`${json}\n`);
}

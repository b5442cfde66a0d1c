import type { ServerResponse } from "node:http";
import { HttpSink } from "../connection/http-sink.ts";
import type { Frame } from "../connection/sink.ts";

/** One CloudEvent a line; bookmarks are lines too and keep the connection alive. */
export class NdjsonSink extends HttpSink {
  constructor(response: ServerResponse) {
    super(response, {
      format: "ndjson",
      contentType: "application/x-ndjson; charset=utf-8",
      encode: ndjsonLine,
    });
  }
}

function ndjsonLine({ json }: Frame): Buffer {
  return Buffer.from(`${json}\n`);
}

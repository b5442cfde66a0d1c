import { get, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { LineSplitter } from "../src/nomad/lines.ts";
import { nowMs } from "./fan-out-sides.ts";

export interface BareStream {
  /** When each event came, ms since 1970, by `<key>@<index>`. */
  readonly seen: ReadonlyMap<string, number>;
  /** Read so far, headers included. */
  readonly bytes: number;
  stop(): void;
}

/** Reads Nomad's event stream and does nothing else. */
export async function followStream(address: string, topic: string): Promise<BareStream> {
  const asked = get(`${address}/v1/event/stream?topic=${topic}&namespace=*`);
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const seen = new Map<string, number>();
  const lines = new LineSplitter(Number.MAX_SAFE_INTEGER);
  response.on("data", (chunk: Buffer) => {
    for (const line of lines.push(chunk)) {
      if (!Buffer.isBuffer(line)) continue;
      const { Index, Events = [] } = JSON.parse(line.toString()) as Frame;
      for (const { Key } of Events) seen.set(`${Key}@${Index}`, nowMs());
    }
  });
  response.on("error", () => undefined);
  return {
    seen,
    get bytes() {
      return response.socket.bytesRead;
    },
    stop: () => void asked.destroy(),
  };
}

interface Frame {
  readonly Index?: number;
  readonly Events?: readonly { readonly Key: string }[];
}

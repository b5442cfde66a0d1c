import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import type { BridgeProcess } from "../test/support/bridge-process.ts";

interface FrameData {
  readonly type: string;
  readonly sequence?: string;
  readonly data: {
    readonly resource?: { readonly id?: string; readonly job?: string };
    readonly rev?: { readonly current?: string };
  };
}

/** Subscribes and tells of every event of the log, with the time its frame arrived. */
export async function openSocket(
  bridge: BridgeProcess,
  query: string,
  onEvent: (event: FrameData, atMs: number) => void,
): Promise<WebSocket> {
  const url = await bridge.url();
  const socket = new WebSocket(`${url.replace("http", "ws")}/v1/events?${query}`);
  socket.on("message", (data: Buffer) => {
    const atMs = performance.now();
    const event = JSON.parse(data.toString()) as FrameData;
    if (event.sequence !== undefined) onEvent(event, atMs);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  return socket;
}

export async function inDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "bench-path-"));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

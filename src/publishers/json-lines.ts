import type { Outgoing } from "./delivery/destination.ts";

/** One line of JSON an event. Their texts hold no line breaks: the log makes them so. */
export function jsonLines(batch: readonly Outgoing[]): Buffer {
  return Buffer.from(batch.map(({ json }) => `${json}\n`).join(""));
}

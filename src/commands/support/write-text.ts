import { once } from "node:events";
import { Writable } from "node:stream";
import { GuardedOutput, type Output } from "../io.ts";

/** Writes text and waits while the reader is slower than we are, so that nothing piles up in memory. */
export async function writeText(output: Output, text: string, signal: AbortSignal): Promise<void> {
  const accepted = output.write(text);
  const stream = output instanceof GuardedOutput ? output.target : output;
  if (accepted !== false || !(stream instanceof Writable)) return;
  await once(stream, "drain", { signal }).catch(() => undefined);
}

import type { StreamFrame } from "../hints/frame.ts";

/** Of a frame: where it stands, and what tells it from another of its index. */
export type FrameHead = Pick<StreamFrame, "index" | "identity">;

/** Undefined for what is no frame, and for an index that no whole number of JavaScript is. */
export function headOf(line: Buffer): FrameHead | undefined {
  const frame = parsed(line);
  if (frame === undefined || !Number.isSafeInteger(frame.Index) || !Array.isArray(frame.Events))
    return undefined;
  const identity = frame.Events.map(
    ({ Topic, Type, Namespace, Key }) => `${Topic} ${Type} ${Namespace} ${Key}`,
  ).join();
  return { index: BigInt(frame.Index), identity };
}

interface ParsedFrame {
  readonly Index: number;
  readonly Events: readonly Readonly<Record<string, unknown>>[];
}

function parsed(line: Buffer): ParsedFrame | undefined {
  try {
    return JSON.parse(line.toString()) as ParsedFrame;
  } catch {
    return undefined;
  }
}

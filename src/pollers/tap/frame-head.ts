/** Of a frame: where it stands, and what tells it from another of its index. */
export interface FrameHead {
  readonly index: bigint;
  /** What each event is and what about. Sent again, a frame has no others; those of a namespace deleted since are missing. */
  readonly events: readonly string[];
  /** Whether it is about something that is in no namespace, or in the one that cannot be deleted. */
  readonly isLasting: boolean;
}

/** Undefined for what is no frame, and for an index that no whole number of JavaScript is. */
export function headOf(line: Buffer): FrameHead | undefined {
  const frame = parsed(line);
  if (frame === undefined || !Number.isSafeInteger(frame.Index) || !Array.isArray(frame.Events))
    return undefined;
  const events = frame.Events.map(
    ({ Topic, Type, Namespace, Key }) => `${Topic} ${Type} ${Namespace} ${Key}`,
  );
  const isLasting = frame.Events.some(({ Namespace }) => Namespace === "" || Namespace === "default");
  return { index: BigInt(frame.Index), events, isLasting };
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

/** A place in a feed: after event number `sequence` of the history named `epoch`. Opaque to users. */
export interface Cursor {
  readonly epoch: string;
  readonly sequence: number;
}

export function formatCursor(cursor: Cursor): string {
  return `${cursor.epoch}-${cursor.sequence}`;
}

/** Undefined where the text is not a cursor this feed could have written. */
export function parseCursor(text: string): Cursor | undefined {
  const match = /^([a-z0-9]{1,32})-(0|[1-9]\d{0,15})$/.exec(text);
  if (match === null) return undefined;
  const sequence = Number(match[2]);
  return Number.isSafeInteger(sequence) ? { epoch: match[1] as string, sequence } : undefined;
}

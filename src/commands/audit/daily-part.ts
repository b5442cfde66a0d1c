export interface LineBytes {
  readonly path: string;
  readonly bytes: Buffer;
}

/** A part of the lines in the daily files, unpacked; or why a file cannot be. */
export type DailyPart = LineBytes | { readonly path: string; readonly damage: string };

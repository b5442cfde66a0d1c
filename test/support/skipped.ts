/**
 * Ends the title of a test that is skipped for a reason, with what to install; scripts/test repeats the reasons last.
 */
export function skippedBecause(reason: string | undefined): string {
  return reason === undefined ? "" : ` (skipped: ${reason})`;
}

const CURSOR = /^([0-9a-z]+)-(\d+)$/;

/** Whether it is a place in the log: no time and no age has such a form. */
export function isCursor(text: string): boolean {
  return CURSOR.test(text);
}

/** Its place among the events of its history. */
export function sequenceOf(cursor: string): number {
  return Number(cursor.slice(cursor.lastIndexOf("-") + 1));
}

/** Which history it is of. */
export function epochOf(cursor: string): string {
  return cursor.slice(0, cursor.lastIndexOf("-"));
}

/** Whether it is a later event than that of another cursor of the same history; never, where there is no other. */
export function isAfter(cursor: string, other: string | undefined): boolean {
  return other !== undefined && sequenceOf(cursor) > sequenceOf(other);
}

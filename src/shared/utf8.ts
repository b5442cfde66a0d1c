/** Bytes that one unit of a text, as `length` counts them, has in UTF-8 at most. */
export const MAX_UNIT_BYTES = 3;

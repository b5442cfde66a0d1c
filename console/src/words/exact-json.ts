/**
 * Parses JSON so that no digit is lost: a whole number beyond 2^53, such as Nomad's nanoseconds, becomes what
 * JSON.rawJSON makes of it. An older browser has no such thing, and rounds it.
 * @throws SyntaxError
 */
export function parseExact(text: string): unknown {
  return JSON.parse(text, (_name, value, context): unknown => {
    const source = context?.source;
    const isRounded = typeof value === "number" && source !== undefined && String(value) !== source;
    return isRounded && JSON.rawJSON !== undefined ? JSON.rawJSON(source) : value;
  });
}

/** The digits of a number that a double does not hold; undefined of anything else. */
export function rawNumber(value: unknown): string | undefined {
  return JSON.isRawJSON?.(value) === true ? value.rawJSON : undefined;
}

/** A scalar as people read it; undefined of an object or array. */
export function scalarText(value: unknown): string | undefined {
  if (value === null) return "null";
  if (typeof value === "object") return rawNumber(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

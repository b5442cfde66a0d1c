import { parseExact, type Json, type JsonObject } from "../schemas/json.ts";

/**
 * A number JavaScript might print differently: sixteen digits or more, a fraction, an exponent, or -0; in a place
 * where a value may stand, and written as JSON wants it.
 */
const DOUBTFUL =
  /(?<![^:,[\s])(?=-?\d{16}|-?\d+[.eE]|-0)-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![^,\]}\s])/g;

/** Begins the strings that stand for doubtful numbers: a character of one byte that JSON allows in strings only. */
const MARK = "\x7f";
const MARK_SPELLINGS = [MARK, "\\u007f", "\\u007F"];

/**
 * `parseExact`, three to four times as fast: without a call for every value. Doubtful numbers are put in quotes
 * behind a mark, the engine parses the rest, and the marked strings are made numbers again. A number found inside a
 * string breaks that off right before the mark, which is a syntax error: then, and wherever not every marked number
 * is met again, it is done the slow way.
 * @throws SyntaxError as JSON.parse does
 */
export function parseExactFast(text: string): Json {
  if (MARK_SPELLINGS.some((spelling) => text.includes(spelling))) return parseExact(text);
  let marked = 0;
  const quoted = text.replace(DOUBTFUL, (number) => {
    marked++;
    return `"${MARK}${number}"`;
  });
  try {
    const holder = { value: JSON.parse(quoted) as Json };
    if (marked === 0 || unmark(holder) === marked) return holder.value;
  } catch {
    // The slow way tells a number inside a string from an error of the text's own.
  }
  return parseExact(text);
}

/** Puts numbers in the place of marked strings; returns how many. */
function unmark(container: JsonObject | Json[]): number {
  let found = 0;
  if (Array.isArray(container)) {
    for (let index = 0; index < container.length; index++) {
      const value = container[index] as Json;
      if (typeof value === "string" && value.startsWith(MARK)) {
        container[index] = numberOf(value.slice(1));
        found++;
      } else if (typeof value === "object" && value !== null) found += unmark(value as JsonObject | Json[]);
    }
    return found;
  }
  for (const name in container) {
    const value = container[name] as Json;
    if (typeof value === "string") {
      if (!value.startsWith(MARK) || name === "__proto__") continue;
      container[name] = numberOf(value.slice(1));
      found++;
    } else if (typeof value === "object" && value !== null) found += unmark(value as JsonObject | Json[]);
  }
  return found;
}

function numberOf(text: string): Json {
  const value = Number(text);
  return String(value) === text ? value : JSON.rawJSON(text);
}

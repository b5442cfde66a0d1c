import * as fc from "fast-check";
import { expect, test } from "vitest";

import { parseExact, type Json } from "../../src/schemas/json.ts";
import { parseExactFast } from "../../src/snapshots/exact-json.ts";
import { listPair } from "../support/list-fixtures.ts";

/** The value's text, telling numbers held as text from plain ones; or the name of the error. */
function outcome(parse: (text: string) => Json, text: string): string {
  try {
    return JSON.stringify(parse(text), (_name, value: unknown) =>
      JSON.isRawJSON(value) ? { raw: value.rawJSON } : value,
    );
  } catch (error) {
    return (error as Error).name;
  }
}

function expectSame(text: string): void {
  expect(outcome(parseExactFast, text)).toBe(outcome(parseExact, text));
}

test("the fast parser gives what the exact one gives, whole or cut", () => {
  fc.assert(
    fc.property(listPair, fc.nat(), ({ next }, cut) => {
      const text = next.toString();
      expectSame(text);
      expectSame(text.slice(0, cut % (text.length + 1)));
    }),
    { numRuns: 1000 },
  );
});

test("and of texts made of what it looks for", () => {
  const pieces = [
    '"',
    "\\",
    "[",
    "]",
    "{",
    "}",
    ":",
    ",",
    " ",
    "-",
    "0",
    "1.50",
    "1e+21",
    "1234567890123456789",
    "\u007f",
    "a",
    '"a":',
    "\\u007f",
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 10 }), (parts) =>
      expectSame(parts.join("")),
    ),
    { numRuns: 5000 },
  );
});

test.each([
  "1795434687866379238",
  "-0",
  "01.5",
  "[01234567890123456789]",
  "[1.]",
  '{"a":-0,"b":0.5,"c":1.0,"d":1E5,"e":1e400}',
  '["taken at ,1795434687866379238, or so"]',
  '{"__proto__":1.0,"a":{"__proto__":{"b":2.0}}}',
  '{"a":1.0,"a":2,"b":"\u007f9"}',
  '{"a":1.0,"a":2,"b":"\\u007F9"}',
  "[1.0,\u007f]",
])("as of %s", expectSame);

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { RESOURCES } from "../../src/schemas/resources.ts";
import { Element, scanElement } from "../../src/snapshots/element-scan.ts";
import { diffWhole, parseSnapshot } from "../../src/snapshots/snapshot.ts";
import { bodyOf } from "../support/list-fixtures.ts";

const KEY = Buffer.from("ID");

function checksumsOf(text: string): Element {
  const body = Buffer.from(text);
  const element = new Element(body);
  scanElement(body, 0, KEY, element);
  return element;
}

function stub(members: string): string {
  return `{"ID":"web","Namespace":"default","ModifyIndex":9,${members}}`;
}

function opsBetween(before: string, after: string): string[] {
  expect(Buffer.byteLength(after)).toBe(Buffer.byteLength(before));
  const { changes } = diffWhole(parseSnapshot(RESOURCES.jobs, bodyOf([stub(before)])), bodyOf([stub(after)]));
  return changes.map(({ op }) => op);
}

const PRINTABLE = Array.from({ length: 0x7f - 0x20 }, (_, at) => String.fromCharCode(0x20 + at)).filter(
  (letter) => letter !== '"' && letter !== "\\",
);
const PAIRS = PRINTABLE.flatMap((first) => PRINTABLE.map((second) => first + second));

describe("either half of the checksum, by itself, tells apart", () => {
  test.each(["", "a", "ab", "abc", "group-wor", "/api/v1/je"])("all pairs of letters behind %j", (lead) => {
    const values = PAIRS.map((pair) => checksumsOf(`{"v":"${lead}${pair}"}`));
    expect(new Set(values.map((element) => element.checksumLow)).size).toBe(PAIRS.length);
    expect(new Set(values.map((element) => element.checksumHigh)).size).toBe(PAIRS.length);
    const names = PAIRS.map((pair) => checksumsOf(`{"${lead}${pair}":1}`));
    expect(new Set(names.map((element) => element.checksumLow)).size).toBe(PAIRS.length);
    expect(new Set(names.map((element) => element.checksumHigh)).size).toBe(PAIRS.length);
  });

  test("letters four and eight apart, where the hash takes in the next word", () => {
    const texts = PAIRS.flatMap((pair) => [`${pair[0]}abc${pair[1]}bcd`, `x${pair[0]}aaaaaaa${pair[1]}`]);
    const values = texts.map((text) => checksumsOf(`{"v":"${text}"}`));
    expect(new Set(values.map((element) => element.checksumLow)).size).toBe(texts.length);
    expect(new Set(values.map((element) => element.checksumHigh)).size).toBe(texts.length);
  });

  test("numbers that follow each other", () => {
    const numbers = Array.from({ length: 20_000 }, (_, at) => 1_795_434_687 + at);
    const values = numbers.map((number) => checksumsOf(`{"v":${number}}`));
    expect(new Set(values.map((element) => element.checksumLow)).size).toBe(numbers.length);
    expect(new Set(values.map((element) => element.checksumHigh)).size).toBe(numbers.length);
  });
});

const counters = (first: string, second: string): string =>
  `{"Queued":${first},"Running":${second},"Lost":0}`;

test.each([
  ["two letters of a text", '"StatusDescription":"ar"', '"StatusDescription":"c0"'],
  ["upper case for lower", '"x":"Ab"', '"x":"BA"'],
  ["letters for digits", '"x":"v0Q"', '"x":"v10"'],
  [
    "counters of two groups",
    `"Summary":{"worker-ar":${counters("1", "2")},"worker-c0":${counters("3", "4")}}`,
    `"Summary":{"worker-ar":${counters("3", "4")},"worker-c0":${counters("1", "2")}}`,
  ],
  [
    "states of two tasks",
    '"TaskStates":{"Ab":{"State":"running"},"BA":{"State":"pending"}}',
    '"TaskStates":{"Ab":{"State":"pending"},"BA":{"State":"running"}}',
  ],
  ["the order of a name that is there twice", '"Stop":true,"Stop":false', '"Stop":false,"Stop":true'],
  ["that, deeper down", '"x":[{"a":1,"b":{"Stop":1,"Stop":2}}]', '"x":[{"a":1,"b":{"Stop":2,"Stop":1}}]'],
  [
    "that, where the name is spelt in two ways",
    String.raw`"Stop":true,"S\u0074op":false`,
    String.raw`"S\u0074op":false,"Stop":true`,
  ],
])("%s cannot change unseen", (_what, before, after) => {
  expect(opsBetween(before, after)).toEqual(["update"]);
});

test("a name that is there twice is seen at every poll, also behind objects that were cleared", () => {
  const tidy = '"x":{"a":1,"b":2},"Stop":true';
  const first = parseSnapshot(RESOURCES.jobs, bodyOf([stub(tidy)]));
  const second = diffWhole(first, bodyOf([stub('"Stop":true,"x":{"b":2,"a":1}')]));
  expect(second.stats).toMatchObject({ cleared: 1, parsed: 0 });
  const twice = diffWhole(second.next, bodyOf([stub('"x":{"a":1,"b":2},"Stop":1,"Stop":2')]));
  const swapped = diffWhole(twice.next, bodyOf([stub('"x":{"a":1,"b":2},"Stop":2,"Stop":1')]));
  expect(swapped.changes.map(({ op }) => op)).toEqual(["update"]);
  const again = diffWhole(swapped.next, bodyOf([stub('"x":{"a":1,"b":2},"Stop":1,"Stop":2')]));
  expect(again.changes.map(({ op }) => op)).toEqual(["update"]);
});

const word = fc.string({
  unit: fc.constantFrom(...Array.from("abcrzABZ0149-_/.é")),
  minLength: 1,
  maxLength: 9,
});
/** A text and another of the same length, mostly with two letters changed against each other. */
const twins = fc
  .tuple(word, fc.nat(), fc.integer({ min: -40, max: 40 }), fc.integer({ min: 1, max: 3 }))
  .map(([text, seed, by, steps]): [string, string] => {
    const bytes = Buffer.from(text);
    const other = Buffer.from(text);
    const at = seed % bytes.length;
    other[at] = 0x30 + (((bytes[at] as number) - 0x30 + steps + 75) % 75);
    if (at + 1 < bytes.length) other[at + 1] = 0x30 + (((bytes[at + 1] as number) - 0x30 + by + 750) % 75);
    const plain = (buffer: Buffer): string =>
      buffer.toString("latin1").replaceAll(/[\\"\u0080-\u00ff]/g, "~");
    return [plain(bytes), plain(other)];
  })
  .filter(([a, b]) => a !== b);

test("structured twins, swapped or set against each other, are changes", () => {
  fc.assert(
    fc.property(twins, twins, ([name, twinName], [value, twinValue]) => {
      expect(opsBetween(`"x":"${value}"`, `"x":"${twinValue}"`)).toEqual(["update"]);
      expect(opsBetween(`"${name}":1,"y":2`, `"${twinName}":1,"y":2`)).toEqual(["update"]);
      const swapped = (a: string, b: string): string =>
        `"m":{"${name}":{"s":"${a}"},"${twinName}":{"s":"${b}"}}`;
      expect(opsBetween(swapped(value, twinValue), swapped(twinValue, value))).toEqual(["update"]);
      const listed = (a: string, b: string): string =>
        `"l":[{"n":"${name}","v":"${a}"},{"n":"${name}","v":"${b}"}]`;
      expect(opsBetween(listed(value, twinValue), listed(twinValue, value))).toEqual(["update"]);
    }),
    { numRuns: 500 },
  );
});

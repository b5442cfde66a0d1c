import { describe, expect, it } from "vitest";
import { InvalidFilter } from "../../src/filters/errors.ts";
import {
  MAX_FILTER_DEPTH,
  MAX_FILTER_LENGTH,
  MAX_FILTER_STATES,
  MAX_FILTER_TERMS,
  parseExpression,
} from "../../src/filters/parser.ts";
import { FILTER_SIGNALS } from "../support/filters.ts";

function refusalOf(text: string): InvalidFilter {
  try {
    parseExpression(text, { signals: FILTER_SIGNALS });
  } catch (error) {
    if (error instanceof InvalidFilter) return error;
    throw error;
  }
  throw new Error(`${text} was not refused`);
}

interface Diagnostic {
  readonly found?: string;
  readonly expected?: readonly string[];
  readonly hint?: string;
}

/** `^` stands before the place that is wrong. */
describe("an expression that cannot be read is refused with its place and what could be there:", () => {
  it.each<[string, Diagnostic]>([
    ["^", { found: "the expression ends here", expected: ["a selector"] }],
    ["  ^", { found: "the expression ends here" }],
    ["Status^", { expected: ["==", "!=", "contains", "matches", "in", "is", "not"] }],
    ["Status ^running", { found: 'found "running"' }],
    ["Status ^= running", { found: 'found "="', hint: "Equality is ==" }],
    ["Status ==^", { found: "the expression ends here", expected: ["a value"] }],
    ["Status == ^and", { found: 'found "and"', expected: ["a value"], hint: 'Quote it: "and"' }],
    ["Status == running ^Stop == true", { expected: ["and", "or", "the end"] }],
    ["Status == running and^", { expected: ["a selector"] }],
    ["Status == running and ^)", { found: 'found ")"' }],
    ["(Status == running^", { expected: ["and", "or", ")"] }],
    ["Status == running^)", { expected: ["and", "or", "the end"] }],
    ["Status == running ^&& Stop == true", { hint: "Write and" }],
    ["Status == running ^| Stop == true", { hint: "Write or" }],
    ["^!Stop == true", { hint: "Write not before the expression" }],
    ["Priority ^> 3", { hint: "There is no order among values" }],
    ["Status == ^'running'", { hint: "Strings stand in" }],
    ["ID == my^-job", { hint: "must be quoted" }],
    ["ID == ^ä", { found: 'found "ä"', hint: "must be quoted" }],
    ["Address == 10.0^.0.1", { expected: ["the end of the number"] }],
    ["Priority == 3^x", { found: 'found "x"' }],
    ['Status == ^"running', { found: "this string has no end", expected: ['a second "'] }],
    ["Status == ^`running", { found: "this string has no end" }],
    ['Status == "a^\\d"', { found: "\\d is no escape", hint: "backticks" }],
    ['Status == "a^\nb"', { found: 'a string in "…" cannot go on' }],
    ["Status is^", { expected: ["empty", "nil", "not empty", "not nil"] }],
    ["Status is not ^full", { expected: ["empty", "nil"] }],
    ["Status not ^== x", { expected: ["contains", "matches", "in"] }],
    ["Meta.^", { expected: ["a name", "a number"] }],
    ["Meta[^3] == x", { found: 'found "3"', expected: ["a quoted name"] }],
    ['Meta["a" ^== x', { expected: ["]"] }],
    ["x in ^32", { expected: ["a selector"] }],
    ['^"Status" == running', { expected: ["a selector"], hint: "not quoted" }],
    ["^32 == 32", { expected: ["a selector"] }],
    ["any Tasks as ^{ x == y }", { expected: ["a name", "_"] }],
    ["any Tasks as _ ^{ x == y }", { expected: [", and a second name"] }],
    ["any Tasks as t, ^t { t == y }", { found: "key and value have one name" }],
    ["any Tasks as t ^t == y", { expected: ["{"] }],
    ["any Tasks as t { t == y^", { expected: ["and", "or", "}"] }],
    ["any Tasks as t { ^u == y }", { found: 'there is no selector "u"' }],
    ["any Tasks as t { t == y } and ^t == y", { found: 'there is no selector "t"' }],
  ])("%s", (marked, { found = "", expected, hint }) => {
    const at = marked.indexOf("^");
    const refusal = refusalOf(marked.slice(0, at) + marked.slice(at + 1));
    expect(refusal.position).toBe(at + 1);
    expect(refusal.message).toContain(`filter, position ${at + 1}: ${found}`);
    expect(refusal.expected).toEqual(expected ?? refusal.expected);
    expect(refusal.hint ?? "").toContain(hint ?? "");
  });

  it("shows the place by a caret below the text", () => {
    expect(refusalOf("Status == running and Stop = true").message.split("\n").slice(1)).toEqual([
      "  Status == running and Stop = true",
      "                             ^",
    ]);
    const long = refusalOf(
      `${"Status == running and ".repeat(9)}Stop = true and ${"Status == running and ".repeat(3)}`,
    );
    const [, shown = "", caret = ""] = long.message.split("\n");
    expect(shown[caret.indexOf("^")]).toBe("=");
    expect(shown.length).toBeLessThan(90);
  });
});

describe("an expression that could never mean anything is refused, and what is near is named:", () => {
  it.each<[string, string | undefined, readonly string[]]>([
    ["^opp == create", "Did you mean op?", ["op", "type", "aspect"]],
    ["^status == running", "begin with a capital (Status)", []],
    ["^resource == x", undefined, ["resource.type", "resource.namespace"]],
    ["^resource.nmespace == x", "Did you mean resource.namespace?", ["resource.namespace"]],
    ["^resource.job.x == y", undefined, ["resource.job"]],
    ["^op.x == create", undefined, ["op"]],
    ["op == ^updated", "Did you mean update?", ["create", "update", "delete", "snapshot"]],
    ["op != ^updated", "Did you mean update?", ["create"]],
    ["aspect == ^stats", "Did you mean status?", ["spec"]],
    ["severity == ^warn", "Did you mean WARN?", ["ERROR"]],
    ["type == ^nomad.jobs.updated", "Did you mean nomad.job.updated?", ["nomad.feed.scope"]],
    ["resource.type == ^job", "Did you mean jobs?", ["nodes"]],
    ["^allocation.fail in signals", "Did you mean allocation.failed?", ["node.down"]],
    ["signals contains ^node.dwn", "Did you mean node.down?", ["node.down"]],
    ["^ClientStatus in changes", undefined, ['"/ClientStatus"']],
  ])("%s", (marked, hint, expected) => {
    const at = marked.indexOf("^");
    const refusal = refusalOf(marked.replace("^", ""));
    expect(refusal.position).toBe(at + 1);
    expect(refusal.hint ?? "").toContain(hint ?? "");
    expect(refusal.expected).toEqual(expect.arrayContaining([...expected]));
  });
});

describe("bounds", () => {
  const parse = (text: string) => parseExpression(text, { signals: [] });

  it(`reads ${MAX_FILTER_LENGTH} characters and no more`, () => {
    const text = `A == "${"x".repeat(MAX_FILTER_LENGTH - 7)}"`;
    expect(() => parse(text)).not.toThrow();
    expect(refusalOf(`${text} `)).toMatchObject({
      position: MAX_FILTER_LENGTH + 1,
      expected: ["at most 4096"],
    });
    expect(refusalOf("(".repeat(1_000_000)).message.length).toBeLessThan(300);
  });

  it(`reads ${MAX_FILTER_DEPTH} brackets within brackets and no more`, () => {
    const nested = (depth: number) => `${"(".repeat(depth)}A == x${")".repeat(depth)}`;
    expect(() => parse(nested(MAX_FILTER_DEPTH))).not.toThrow();
    expect(refusalOf(nested(MAX_FILTER_DEPTH + 1)).position).toBe(MAX_FILTER_DEPTH + 1);
    const loops = (depth: number) => `${"any A as a {".repeat(depth)}a == x${"}".repeat(depth)}`;
    expect(() => parse(loops(MAX_FILTER_DEPTH))).not.toThrow();
    expect(refusalOf(loops(MAX_FILTER_DEPTH + 1)).message).toContain("too many brackets");
    expect(() => parse(`${"not ".repeat(1000)}A == x`)).not.toThrow();
    expect(() => parse(Array.from({ length: 150 }, () => "(A == x)").join(" and "))).not.toThrow();
  });

  it(`reads regular expressions of ${MAX_FILTER_STATES} states together and no more`, () => {
    const large = (count: number) => Array.from({ length: count }, () => "A matches `a{490}`").join(" or ");
    expect(() => parse(large(4))).not.toThrow();
    expect(refusalOf(large(5))).toMatchObject({ expected: ["at most 2000 states"] });
  });

  it(`reads ${MAX_FILTER_TERMS} terms and no more`, () => {
    const terms = (count: number) => Array.from({ length: count }, () => "A == x").join(" or ");
    expect(() => parse(terms(MAX_FILTER_TERMS))).not.toThrow();
    expect(refusalOf(terms(MAX_FILTER_TERMS + 1))).toMatchObject({
      position: MAX_FILTER_TERMS * "A == x or ".length + 1,
      expected: ["at most 200"],
    });
  });
});

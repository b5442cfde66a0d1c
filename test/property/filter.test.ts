import * as fc from "fast-check";
import { RE2JS, RE2JSException } from "re2js";
import { describe, expect, it } from "vitest";
import { InvalidFilter } from "../../src/filters/errors.ts";
import { createFilter } from "../../src/filters/filter.ts";
import { parseExpression } from "../../src/filters/parser.ts";
import { MAX_PROGRAM_SIZE } from "../../src/filters/regex/program.ts";
import { InvalidRegex, Regex } from "../../src/filters/regex/regex.ts";
import { expressionOver, jsonText, stubText, textOf } from "../support/filter-arbitraries.ts";
import { modelOf } from "../support/filter-model.ts";
import { controlEvent, eventAfter, passes } from "../support/filters.ts";

const expression = expressionOver([], 3);
const style = fc.nat(60);
const SIGNALS = { signals: ["allocation.failed"] };

describe("expressions", () => {
  it("mean the same when they are written, in any way, and read again", () => {
    fc.assert(
      fc.property(expression, style, (written, as) => {
        expect(parseExpression(textOf(written, as), SIGNALS)).toEqual(written);
      }),
      { numRuns: 2000 },
    );
  });

  it("hold of an object where the plainest reading of them does", () => {
    fc.assert(
      fc.property(expression, style, stubText, (written, as, stub) => {
        expect(passes(textOf(written, as), eventAfter(stub))).toBe(modelOf(written, stub));
      }),
      { numRuns: 5000 },
    );
  });

  it("let a control event pass, whatever they ask of objects", () => {
    fc.assert(
      fc.property(expression, style, (written, as) => {
        expect(passes(textOf(written, as), controlEvent())).toBe(true);
      }),
    );
  });
});

/** Texts that are nearly expressions: of their words, or with something cut out, put in or repeated. */
const PIECES = [
  ...Array.from("()[]{}.,_=!\"`/-\\ \n'0<"),
  ...' == | != | in | not | and | or | is | empty | nil | contains | matches | any | all | as |op|Status|changes|resource.|signals|create|"x"|`a+`|12'.split(
    "|",
  ),
];
const soup = fc.array(fc.constantFrom(...PIECES), { maxLength: 30 }).map((pieces) => pieces.join(""));
const mutated = fc
  .tuple(expression, style, fc.nat(1000), fc.nat(10), fc.oneof(fc.string(), fc.constantFrom(...PIECES)))
  .map(([written, as, position, cut, put]) => {
    const text = textOf(written, as);
    const at = position % (text.length + 1);
    return text.slice(0, at) + put + text.slice(at + cut);
  });
const anyText = fc.oneof(soup, mutated, fc.string(), fc.string({ unit: "binary", maxLength: 200 }));

describe("any text", () => {
  it("is an expression, or refused with a place in it", () => {
    const outcomes = { read: 0, refused: 0 };
    fc.assert(
      fc.property(anyText, stubText, (text, stub) => {
        const refusal = refusalOf(text);
        outcomes[refusal === undefined ? "read" : "refused"] += 1;
        const isAnswered = refusal === undefined && typeof passes(text, eventAfter(stub)) === "boolean";
        expect(isAnswered || (refusal !== undefined && isHelpful(refusal, text))).toBe(true);
      }),
      { numRuns: 10_000 },
    );
    expect(outcomes.read).toBeGreaterThan(100);
    expect(outcomes.refused).toBeGreaterThan(1000);
  });

  it("is asked of events of any shape without failing", () => {
    const asked = [
      "any changes as c { c.path == x }",
      '"/A" in changes',
      "changes.path contains x",
      "A.a == x",
      "resource.name == x",
    ];
    fc.assert(
      fc.property(fc.constantFrom(...asked), jsonText, jsonText, (text, a, b) => {
        const data = `{"after":${a},"changes":${b},"resource":${a},"changesTruncated":1}`;
        expect(passes(text, { ...eventAfter("{}"), data })).toBeTypeOf("boolean");
      }),
    );
  });
});

/** Names a place in the text, on one line, and shows it on two more. */
function isHelpful({ position, message }: InvalidFilter, text: string): boolean {
  return position >= 1 && position <= text.length + 1 && message.split("\n").length === 3;
}

function refusalOf(text: string): InvalidFilter | undefined {
  try {
    void createFilter(text, SIGNALS);
    return undefined;
  } catch (error) {
    if (error instanceof InvalidFilter) return error;
    throw error;
  }
}

/** What expressions are made of, and what nearly is: most of it put together is none. */
const PATTERN_PIECES = [
  Array.from("ab1äks\u212a\u017f.-,()|[]{}\\^$"),
  ["*", "+", "?", "*?", "+?", "{2}", "{0,2}", "{2,}", "{,2}"],
  ["[ab]", "[^a]", "[a-c]", "[^\\d]", "[\\w-]", "[]a]", "[[:alpha:]]", "[[:^digit:]]"],
  ["\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\pL", "\\PL", "\\p{Lu}", "\\P{Greek}", "\\p{^Nd}"],
  ["\\b", "\\B", "\\A", "\\z", "\\Q", "\\E", "\\x41", "\\x{61}", "\\141", "\\n", "\\.", "\\1", "\\k"],
  ["(?i)", "(?s)", "(?m)", "(?U)", "(?-i)", "(?i:", "(?:", "(?P<n>", "(?<m>", "(?="],
].flat();
const patternSoup = fc
  .array(fc.constantFrom(...PATTERN_PIECES), { minLength: 1, maxLength: 8 })
  .map((pieces) => pieces.join(""));
/** What stands between a repetition and what it repeats, if anything. */
const REPEATED_FROM_AFAR = [
  "a\\Q\\E*b",
  "a(?i)+",
  "a*\\Q\\E*",
  "a(?m){2}(?s)?",
  "(?i)*",
  "(|(?s)+)",
  "\\Q\\E*",
];
/** Whole ones, with parts in parts. */
const atom = fc.constantFrom(...Array.from("abcä.^$"), "[ab]", "[^a]", "\\d", "\\w", "\\b", "(?:)", "\\.");
const pattern = fc.letrec<{ whole: string }>((tie) => ({
  whole: fc.oneof(
    { depthSize: "small" },
    fc
      .array(fc.tuple(atom, fc.constantFrom("", "", "*", "+", "?", "{0,2}", "{2}", "*?")), { maxLength: 4 })
      .map((parts) =>
        parts.map(([one, repeat]) => (/^(\\b|\^|\$)$/.test(one) ? one : one + repeat)).join(""),
      ),
    fc.tuple(tie("whole"), tie("whole")).map(([a, b]) => `(${a}|${b})`),
    fc
      .tuple(tie("whole"), fc.constantFrom("*", "+", "?", "{1,3}"))
      .map(([inner, repeat]) => `(?:${inner})${repeat}`),
  ),
})).whole;
const flagged = fc
  .tuple(fc.constantFrom("", "(?i)", "(?m)", "(?s)"), fc.oneof(patternSoup, pattern))
  .map((parts) => parts.join(""));
const letter = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("a", "b", ".", "\n") },
  fc.constantFrom(...Array.from("ABckKsS\u212a\u017fäÄαΣ1-_ 😀")),
);
const subject = fc.string({ unit: letter, maxLength: 6 });

describe("regular expressions", () => {
  it("are those of RE2, and match what they match there", () => {
    const outcomes = { matching: 0, not: 0, refused: 0 };
    fc.assert(
      fc.property(flagged, fc.array(subject, { minLength: 3 }), (source, texts) => {
        const [ours, theirs] = [read(Regex, source), read(RE2, source)];
        expect(ours === undefined).toBe(theirs === undefined);
        outcomes.refused += ours === undefined ? 1 : 0;
        for (const text of ours === undefined ? [] : texts) {
          const expected = theirs?.test(text);
          outcomes[expected === true ? "matching" : "not"] += 1;
          expect(ours?.test(text)).toBe(expected);
        }
      }),
      { numRuns: 6000, examples: REPEATED_FROM_AFAR.map((source) => [source, ["", "a", "aaa", "ba"]]) },
    );
    expect(Math.min(outcomes.matching, outcomes.not, outcomes.refused)).toBeGreaterThan(500);
  });

  it("of any text are refused, or end within their size times the text's length", () => {
    const pieces = Array.from("ab()[]{}*+?|^$.\\-,:019iPpLQE<>!=");
    const random = fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(
        fc.oneof(random, patternSoup, fc.string(), pattern),
        fc.string({ maxLength: 100 }),
        (source, text) => {
          let steps = 0;
          const spend = (more: number) => {
            steps += more;
          };
          expect(() => new Regex(source).test(text, { spend })).toSatisfy((run: () => unknown) =>
            endsWell(run),
          );
          expect(steps).toBeLessThanOrEqual((text.length + 1) * (MAX_PROGRAM_SIZE + 1));
        },
      ),
      { numRuns: 10_000 },
    );
  });
});

function endsWell(run: () => unknown): boolean {
  try {
    return typeof run() === "boolean";
  } catch (error) {
    return error instanceof InvalidRegex;
  }
}

interface Matcher {
  test(text: string): boolean;
}

/** RE2 itself, in JavaScript. */
class RE2 implements Matcher {
  readonly #compiled: RE2JS;

  constructor(source: string) {
    this.#compiled = RE2JS.compile(source);
  }

  test(text: string): boolean {
    return this.#compiled.matcher(text).find();
  }
}

/** Undefined where it is none. */
function read(engine: new (source: string) => Matcher, source: string): Matcher | undefined {
  try {
    return new engine(source);
  } catch (error) {
    if (error instanceof InvalidRegex || error instanceof RE2JSException) return undefined;
    throw error;
  }
}

import { describe, expect, it } from "vitest";
import { MAX_PROGRAM_SIZE } from "../../src/filters/regex/program.ts";
import { InvalidRegex, Regex } from "../../src/filters/regex/regex.ts";

const matches = (pattern: string, text: string) => new Regex(pattern).test(text);

/** Steps that a match takes; it is ended where it takes more than a hundred million. */
function stepsOf(pattern: string, text: string): number {
  let steps = 0;
  const spend = (more: number) => {
    steps += more;
    if (steps > 100_000_000) throw new Error("no end");
  };
  new Regex(pattern).test(text, { spend });
  return steps;
}

describe("a regular expression matches", () => {
  it.each<[string, string, boolean]>([
    ["", "", true],
    ["b", "abc", true],
    ["d", "abc", false],
    ["^b", "abc", false],
    ["^a", "abc", true],
    ["c$", "abc", true],
    ["b$", "abc", false],
    ["^abc$", "abc", true],
    ["^$", "", true],
    ["a.c", "abc", true],
    ["a.c", "a\nc", false],
    ["(?s)a.c", "a\nc", true],
    ["a.c", "a😀c", true],
    ["^.$", "😀", true],
    ["ab*c", "ac", true],
    ["ab+c", "ac", false],
    ["ab+?c", "abbbc", true],
    ["ab?c", "abbc", false],
    ["a{2}", "aba", false],
    ["^a{2,3}$", "aaa", true],
    ["^a{2,3}$", "aaaa", false],
    ["^a{2,}$", "aaaaaa", true],
    ["^a{0}$", "", true],
    ["a{,2}", "a{,2}", true],
    ["x|y|z", "y", true],
    ["^(ab|c)+$", "abcab", true],
    ["^(?:ab|c)+$", "abb", false],
    ["^(?P<name>a)(?<other>b)$", "ab", true],
    ["()|x", "", true],
    ["a||b", "", true],
    ["[abc]", "b", true],
    ["[^abc]", "b", false],
    ["[^a]", "\n", true],
    ["[a-c]", "d", false],
    ["[]a]", "]", true],
    ["[^]a]", "]", false],
    ["[a-]", "-", true],
    ["[-a]", "-", true],
    ["[a\\-z]", "b", false],
    ["[\\d_]+$", "1_2", true],
    ["[^\\D]", "7", true],
    ["[[:alpha:]]", "7", false],
    ["[[:^alpha:]]", "7", true],
    ["[[:alpha:]7]", "7", true],
    ["[&&]", "&", true],
    ["\\d\\D\\w\\W\\s\\S", "1a_- x", true],
    ["\\s", "\v", false],
    ["\\s", "\u00a0", false],
    ["\\.", "a", false],
    ["\\x41\\x{1F600}\\n\\t\\101", "A😀\n\tA", true],
    ["\\pL\\p{Lu}\\p{Greek}\\PN", "äÄλx", true],
    ["\\p{^L}", "a", false],
    ["\\bfoo\\b", "a foo b", true],
    ["\\bfoo\\b", "afoo", false],
    ["\\Bfoo", "afoo", true],
    ["\\Aa\\z", "a", true],
    ["^\\Qa.b*\\E+$", "a.b**", true],
    ["\\Qa.b\\E", "axb", false],
    ["\\Qa.b", "a.b", true],
    ["(?i)HeLLo", "hEllO", true],
    ["(?i)straße", "STRAßE", true],
    ["(?i)[^a]", "A", false],
    ["(?i:a)B", "AB", true],
    ["(?i:a)B", "Ab", false],
    ["(?i)a(?-i)b", "AB", false],
    ["((?i)a)B", "AB", true],
    ["(?m)^b$", "a\nb\nc", true],
    ["^b$", "a\nb\nc", false],
    ["(?U)a+", "a", true],
    ["(a*)*$", "b", true],
    ["(|a)*b", "aab", true],
    ["^(a?){3}a{3}$", "aaa", true],
    ["10.0.0..+", "10.0.0.17", true],
  ])("%j in %j: %s", (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });
});

describe("a regular expression that is none, or too large, is refused with its place:", () => {
  it.each<[string, string]>([
    ["a^)", "without its ("],
    ["a^(b", "has no )"],
    ["^[ab", "has no ]"],
    ["^*a", "nothing to repeat"],
    ["a|^*", "nothing to repeat"],
    ["(^{2})", "nothing to repeat"],
    ["a*^*", "repeats a repetition"],
    ["a^{2,1}", "at most 1000"],
    ["a^{1001}", "at most 1000"],
    ["a^\\", "a \\ ends it"],
    ["(a)^\\1", "back-references"],
    ["^\\Za", "not known"],
    ["^(?=a)", "no such group"],
    ["^(?<!a)b", "no such group"],
    ["^\\p{Klingon}", "no class of characters Klingon"],
    ["[^[:vowel:]]", "no class [:vowel:]"],
    ["[^[:constructor:]]", "no class [:constructor:]"],
    ["[^[:__proto__:]]", "no class [:__proto__:]"],
    ["^\\p{constructor}", "no class of characters constructor"],
    ["[^z-a]", "ends before it begins"],
    ["^(a{1000}){1000}", "too large"],
    ["^((((a{0}){1000}){1000}){1000}){1000}", "too large"],
    ["^(((((((((a{9}){9}){9}){9}){9}){9}){9}){9}){9}){9}", "too large"],
  ])("%s", (marked, message) => {
    const at = marked.indexOf("^");
    const compile = () => new Regex(marked.slice(0, at) + marked.slice(at + 1));
    expect(compile).toThrow(InvalidRegex);
    expect(compile).toThrow(expect.objectContaining({ at, message: expect.stringContaining(message) }));
  });

  it("however short the different classes are", () => {
    const classes = (count: number) =>
      Array.from({ length: count }, (_, position) => `[a-${String.fromCodePoint(0x100 + position)}]`).join(
        "",
      );
    expect(() => new Regex(classes(101))).toThrow(/at most 100 different classes/);
    expect(new Regex(classes(100)).test("a".repeat(100))).toBe(true);
    expect(new Regex("[ab]".repeat(400)).test("ab".repeat(200))).toBe(true);
  });

  it("however deep its groups are", () => {
    expect(() => new Regex("(".repeat(4000))).toThrow(/at most 50 groups/);
  });
});

describe("time", () => {
  /** What makes engines that try one way after another run for years, each with a text that does so. */
  const CATASTROPHIC: readonly (readonly [string, string, string])[] = [
    ["(a+)+$", "a", "!"],
    ["(a|aa)+$", "a", "!"],
    ["(a|a)*$", "a", "!"],
    ["^(.*)*x$", "a", "b"],
    ["(.*a){20}$", "a", "!"],
    ["([a-zA-Z]+)*$", "a", "!"],
    ["^(\\w+\\s?)*$", "a ", "!"],
    ["^(([a-z])+.)+[A-Z]([a-z])+$", "a", "1"],
    ["(x+x+)+y", "x", "z"],
    ["^(a?){300}a{300}$", "a", "!"],
    ["(((((a*)*)*)*)*)*b", "a", "c"],
  ];

  it.each(CATASTROPHIC)(
    "%s takes steps in proportion to the text, at most its size for each character",
    (pattern, unit, end) => {
      const text = (length: number) => unit.repeat(length / unit.length) + end;
      const [short, long] = [stepsOf(pattern, text(1000)), stepsOf(pattern, text(10_000))];
      expect(long / short).toBeLessThan(11);
      expect(long).toBeLessThan(10_002 * (MAX_PROGRAM_SIZE + 1));
    },
  );
});

const DIGIT = "0-9";
const WORD = "0-9A-Za-z_";
const SPACE = String.raw`\t\n\f\r `;

/** `\d` and its like: ASCII only, as RE2 has them. Written in JavaScript's syntax, as all here. */
export const PERL_CLASSES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    d: `[${DIGIT}]`,
    D: `[^${DIGIT}]`,
    w: `[${WORD}]`,
    W: `[^${WORD}]`,
    s: `[${SPACE}]`,
    S: `[^${SPACE}]`,
  }),
);

/** What stands between `[:` and `:]`. */
export const POSIX_CLASSES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    alnum: "0-9A-Za-z",
    alpha: "A-Za-z",
    ascii: String.raw`\x00-\x7f`,
    blank: String.raw`\t `,
    cntrl: String.raw`\x00-\x1f\x7f`,
    digit: DIGIT,
    graph: String.raw`\x21-\x7e`,
    lower: "a-z",
    print: String.raw`\x20-\x7e`,
    punct: String.raw`\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e`,
    space: String.raw`\t\n\v\f\r `,
    upper: "A-Z",
    word: WORD,
    xdigit: "0-9A-Fa-f",
  }),
);

/** Escapes of control characters. */
export const CONTROLS: ReadonlyMap<string, number> = new Map(
  Object.entries({ a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 }),
);

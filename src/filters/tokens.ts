import { quoted } from "../shared/quoted.ts";
import { InvalidFilter } from "./errors.ts";

interface Place {
  /** From 0, in the text. */
  readonly at: number;
  /** As it is written. */
  readonly source: string;
}

/** `name` is a keyword, a selector or a bare value, which its place tells; a string's `value` is unescaped. */
export type Token = Place &
  (
    | { readonly kind: "name"; readonly path: readonly string[] }
    | { readonly kind: "string"; readonly value: string; readonly mayBePointer: boolean }
    | { readonly kind: "number" }
    | { readonly kind: "symbol" }
    | { readonly kind: "end" }
  );

const SPACE = /[ \t\r\n]*/y;
const IDENTIFIER = /[a-zA-Z][a-zA-Z0-9_/]*/y;
const MEMBER = /\.([a-zA-Z][a-zA-Z0-9_/]*|[0-9]+)/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?/y;
const SYMBOL = /==|!=|[(){},_]/y;
/** What may follow a number. */
const AFTER_NUMBER = /[ \t\r\n(){}]|$/y;

/** What people write who come from another language. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/=/y, "Equality is ==; values are quoted"],
  [/&/y, "Write and"],
  [/\|/y, "Write or"],
  [/!/y, "Write not before the expression, or != between selector and value"],
  [/[<>]/y, "There is no order among values, only == and !="],
  [/'/y, 'Strings stand in "double quotes" or `backticks`'],
  [/[-*:$@#%+~^?;\p{L}\p{N}]/uy, "Values with such characters must be quoted"],
];

/** @throws InvalidFilter where no token begins. */
export function tokensOf(text: string): Token[] {
  return new Tokenizer(text).all();
}

class Tokenizer {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  all(): Token[] {
    const tokens: Token[] = [];
    for (;;) {
      this.#match(SPACE);
      const at = this.#at;
      if (at === this.#text.length) return [...tokens, { kind: "end", at, source: "" }];
      tokens.push(this.#next(at));
    }
  }

  #next(at: number): Token {
    const first = this.#text[at];
    if (first === '"' || first === "`") return this.#string(first);
    const name = this.#match(IDENTIFIER);
    if (name !== undefined) return this.#name(at, name);
    if (this.#match(NUMBER) !== undefined) return this.#number(at);
    const symbol = this.#match(SYMBOL);
    if (symbol !== undefined) return { kind: "symbol", at, source: symbol };
    throw this.#unexpected(at, ["a selector", "a value", "an operator"]);
  }

  /** `a.b["c d"].0`: no space before a dot or bracket. */
  #name(at: number, first: string): Token {
    const path = [first];
    for (;;) {
      const member = this.#match(MEMBER);
      if (member !== undefined) path.push(member.slice(1));
      else if (this.#text[this.#at] === "[") path.push(this.#index());
      else if (this.#text[this.#at] === ".") throw this.#unexpected(this.#at + 1, ["a name", "a number"]);
      else break;
    }
    return { kind: "name", at, source: this.#text.slice(at, this.#at), path };
  }

  #index(): string {
    this.#at += 1;
    this.#match(SPACE);
    const quote = this.#text[this.#at];
    if (quote !== '"' && quote !== "`") throw this.#unexpected(this.#at, ["a quoted name"]);
    const { value } = this.#string(quote);
    this.#match(SPACE);
    if (this.#text[this.#at] !== "]") throw this.#unexpected(this.#at, ["]"]);
    this.#at += 1;
    return value;
  }

  #number(at: number): Token {
    const end = this.#at;
    if (this.#match(AFTER_NUMBER) === undefined) {
      throw this.#unexpected(end, ["the end of the number"], "Anything but a plain number must be quoted");
    }
    this.#at = end;
    return { kind: "number", at, source: this.#text.slice(at, end) };
  }

  #string(quote: string): Token & { readonly kind: "string" } {
    const at = this.#at;
    const end = this.#endOfString(quote);
    if (end === undefined) {
      throw new InvalidFilter({
        text: this.#text,
        at,
        problem: "this string has no end",
        expected: [quote === '"' ? 'a second "' : "a second `"],
      });
    }
    this.#at = end + 1;
    const inner = this.#text.slice(at + 1, end);
    const value = quote === "`" ? inner.replaceAll("\r", "") : this.#unescaped(inner, at + 1);
    return {
      kind: "string",
      at,
      source: this.#text.slice(at, end + 1),
      value,
      mayBePointer: quote === '"' && value.startsWith("/"),
    };
  }

  #endOfString(quote: string): number | undefined {
    for (let at = this.#at + 1; at < this.#text.length; at++) {
      if (this.#text[at] === quote) return at;
      if (quote === '"' && this.#text[at] === "\\") at += 1;
    }
    return undefined;
  }

  /** Go's escapes. */
  #unescaped(inner: string, start: number): string {
    return inner.replaceAll(
      /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.?))|\n/gs,
      (escape, x?: string, u?: string, long?: string, octal?: string, letter?: string, offset?: number) => {
        const hex = x ?? u ?? long;
        const code = hex !== undefined ? Number.parseInt(hex, 16) : Number.parseInt(octal ?? "", 8);
        if (code <= 0x10ffff) return String.fromCodePoint(code);
        const known = letter === undefined ? undefined : ESCAPES.get(letter);
        if (known !== undefined) return known;
        throw new InvalidFilter({
          text: this.#text,
          at: start + (offset ?? 0),
          problem:
            escape === "\n" ? 'a string in "…" cannot go on in the next line' : `${escape} is no escape`,
          expected: [],
          hint: "Between `backticks` everything stands for itself",
        });
      },
    );
  }

  #unexpected(at: number, expected: readonly string[], hint?: string): InvalidFilter {
    const character = String.fromCodePoint(this.#text.codePointAt(at) ?? 0);
    const problem = at >= this.#text.length ? "the expression ends here" : `found ${quoted(character)}`;
    return new InvalidFilter({ text: this.#text, at, problem, expected, hint: hint ?? this.#hintAt(at) });
  }

  #hintAt(at: number): string | undefined {
    return HINTS.find(([pattern]) => {
      pattern.lastIndex = at;
      return pattern.test(this.#text);
    })?.[1];
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found[0];
  }
}

const ESCAPES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    a: "\x07",
    b: "\b",
    f: "\f",
    n: "\n",
    r: "\r",
    t: "\t",
    v: "\v",
    "\\": "\\",
    '"': '"',
  }),
);

import { CharacterSet } from "./character-set.ts";
import { CONTROLS, PERL_CLASSES, POSIX_CLASSES } from "./classes.ts";

/** A regular expression as it was understood. Greed is left out: whether there is a match does not depend on it. */
export type Node =
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "assertion"; readonly assertion: Assertion }
  | { readonly kind: "sequence"; readonly items: readonly Node[] }
  | { readonly kind: "choice"; readonly options: readonly Node[] }
  | { readonly kind: "repeat"; readonly item: Node; readonly least: number; readonly most: number };

export type Assertion =
  | "text-start"
  | "text-end"
  | "line-start"
  | "line-end"
  | "word-boundary"
  | "no-word-boundary";

/** Not of RE2's syntax, of a part of it that is left out, or too large. */
export class InvalidRegex extends Error {
  /** From 0, in the pattern. */
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** Each takes some tens of microseconds the first time it is asked for a character. @internal */
export const MAX_CLASSES = 100;
const MAX_REPEAT = 1000;
const MAX_GROUP_DEPTH = 50;

interface Flags {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
}

const NO_FLAGS: Flags = { ignoreCase: false, multiline: false, dotAll: false };
const FLAG_NAMES: ReadonlyMap<string, keyof Flags> = new Map([
  ["i", "ignoreCase"],
  ["m", "multiline"],
  ["s", "dotAll"],
]);

/** @throws InvalidRegex */
export function parseRegex(pattern: string): Node {
  return new RegexParser(pattern).whole();
}

class RegexParser {
  readonly #pattern: string;
  #at = 0;
  readonly #sets = new Map<string, CharacterSet>();
  #classes = 0;
  #flags = NO_FLAGS;
  #depth = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  whole(): Node {
    const node = this.#choice();
    if (this.#at < this.#pattern.length) throw this.#error("there is a ) without its (");
    return node;
  }

  #choice(): Node {
    const options = [this.#sequence()];
    while (this.#take("|")) options.push(this.#sequence());
    return options.length === 1 ? (options[0] as Node) : { kind: "choice", options };
  }

  #sequence(): Node {
    const items: Node[] = [];
    while (this.#at < this.#pattern.length && !this.#sees("|") && !this.#sees(")")) {
      this.#addTo(items);
    }
    return { kind: "sequence", items };
  }

  /** None where it only sets flags; several where text is quoted by \Q…\E. */
  #addTo(items: Node[]): void {
    const start = this.#at;
    if (this.#take("\\Q")) {
      items.push(...this.#quotedText());
    } else if (this.#bounds() === undefined) {
      const atom = this.#atom();
      if (atom !== undefined) items.push(this.#repeated(atom));
    } else {
      // As in RE2, flags or an empty \Q\E may stand between it and what it repeats.
      const last = items.pop();
      if (last === undefined) throw this.#error("there is nothing to repeat", start);
      this.#at = start;
      items.push(this.#repeated(last));
    }
  }

  #quotedText(): Node[] {
    const at = this.#at;
    const end = this.#pattern.indexOf("\\E", at);
    const text = this.#pattern.slice(this.#at, end < 0 ? undefined : end);
    this.#at = end < 0 ? this.#pattern.length : end + 2;
    const literals = Array.from(text, (character) => this.#literal(character.codePointAt(0) ?? 0, at));
    const last = literals.pop();
    return last === undefined ? [] : [...literals, this.#repeated(last)];
  }

  #repeated(atom: Node): Node {
    const bounds = this.#bounds();
    if (bounds === undefined) return atom;
    this.#take("?");
    const at = this.#at;
    if (this.#bounds() !== undefined) throw this.#error("repeats a repetition", at);
    const [least, most] = bounds;
    return { kind: "repeat", item: atom, least, most };
  }

  #bounds(): readonly [number, number] | undefined {
    if (this.#take("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.#take("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.#take("?")) return [0, 1];
    const at = this.#at;
    const counted = this.#match(/\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}/y);
    if (counted === undefined) return undefined;
    const least = Number(counted[1]);
    const most = counted[2] === undefined ? least : Number(counted[3] ?? Number.POSITIVE_INFINITY);
    const isBounded = least <= MAX_REPEAT && (most <= MAX_REPEAT || most === Number.POSITIVE_INFINITY);
    if (isBounded && least <= most) return [least, most];
    throw this.#error(`cannot repeat ${counted[0]}: at most ${MAX_REPEAT}, the smaller number first`, at);
  }

  #atom(): Node | undefined {
    const at = this.#at;
    if (this.#take("(")) return this.#group(at);
    if (this.#take("[")) return { kind: "set", set: this.#bracket(at) };
    if (this.#take(".")) return { kind: "set", set: this.#set(this.#flags.dotAll ? "[^]" : "[^\\n]", at) };
    if (this.#take("^")) return assertion(this.#flags.multiline ? "line-start" : "text-start");
    if (this.#take("$")) return assertion(this.#flags.multiline ? "line-end" : "text-end");
    if (this.#take("\\")) return this.#escape(at);
    return this.#literal(this.#codePoint(), at);
  }

  #group(at: number): Node | undefined {
    const outer = this.#flags;
    const special = this.#match(/\?(?:P?<[A-Za-z0-9_]+>|([imsU]*)(?:-([imsU]+))?([:)]))/y);
    if (special === undefined && this.#sees("?")) {
      throw this.#error("no such group: there is (…), (?:…), (?P<name>…) and (?flags:…)", at);
    }
    const [, on, off, end] = special ?? [];
    if (on !== undefined) this.#flags = withFlags(withFlags(outer, on, true), off ?? "", false);
    if (end === ")") return undefined;
    if (++this.#depth > MAX_GROUP_DEPTH)
      throw this.#error(`at most ${MAX_GROUP_DEPTH} groups within groups`, at);
    const inner = this.#choice();
    if (!this.#take(")")) throw this.#error("this ( has no )", at);
    this.#depth -= 1;
    this.#flags = outer;
    return inner;
  }

  #escape(at: number): Node {
    const letter = this.#pattern[this.#at] ?? "";
    const found = ASSERTIONS.get(letter);
    if (found !== undefined) {
      this.#at += 1;
      return assertion(found);
    }
    const characterClass = this.#class(at);
    if (characterClass !== undefined) return { kind: "set", set: this.#set(characterClass, at) };
    return this.#literal(this.#escapedCodePoint(at), at);
  }

  /** \d, \pL, \p{Greek}; the backslash was taken. */
  #class(at: number): string | undefined {
    const letter = this.#pattern[this.#at] ?? "";
    const perl = PERL_CLASSES.get(letter);
    if (perl !== undefined) {
      this.#at += 1;
      return perl;
    }
    const unicode = this.#match(/([pP])(?:\{(\^?)(\w+)\}|([A-Z]))/y);
    if (unicode === undefined) return undefined;
    const [, p, caret = "", name = "", short = ""] = unicode;
    const isNegated = (p === "P") !== (caret === "^");
    const letterClass = `\\${isNegated ? "P" : "p"}`;
    for (const source of [`${letterClass}{${name || short}}`, `${letterClass}{Script=${name}}`]) {
      if (isValidClass(source)) return source;
    }
    throw this.#error(`there is no class of characters ${name || short}`, at);
  }

  #escapedCodePoint(at: number): number {
    const hex = this.#match(/x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/y);
    if (hex !== undefined) {
      const code = Number.parseInt(hex[1] ?? hex[2] ?? "", 16);
      if (code <= 0x10ffff) return code;
    }
    const octal = this.#match(/0[0-7]{0,2}|[1-7][0-7]{1,2}/y);
    if (octal !== undefined) return Number.parseInt(octal[0], 8);
    const character = this.#pattern[this.#at] ?? "";
    const control = CONTROLS.get(character);
    if (control === undefined && !/[!-/:-@[-`{-~]/.test(character)) {
      throw this.#error(
        character === "" ? "a \\ ends it" : `\\${character} is not known (nor are back-references)`,
        at,
      );
    }
    this.#at += 1;
    return control ?? character.charCodeAt(0);
  }

  #bracket(at: number): CharacterSet {
    const negated = this.#take("^") ? "^" : "";
    const parts: string[] = [];
    do {
      if (this.#at >= this.#pattern.length) throw this.#error("this [ has no ]", at);
      parts.push(this.#bracketPart());
    } while (!this.#take("]"));
    return this.#set(`[${negated}${parts.join("")}]`, at);
  }

  #bracketPart(): string {
    const at = this.#at;
    const posix = this.#match(/\[:(\^?)(\w+):\]/y);
    if (posix !== undefined) {
      const members = POSIX_CLASSES.get(posix[2] ?? "");
      if (members === undefined) throw this.#error(`there is no class ${posix[0]}`, at);
      return `[${posix[1]}${members}]`;
    }
    if (this.#take("\\")) {
      const characterClass = this.#class(at);
      if (characterClass !== undefined) return characterClass;
      return this.#range(this.#escapedCodePoint(at), at);
    }
    return this.#range(this.#codePoint(), at);
  }

  #range(low: number, at: number): string {
    if (!this.#sees("-") || this.#pattern[this.#at + 1] === "]" || this.#at + 1 >= this.#pattern.length) {
      return escaped(low);
    }
    this.#at += 1;
    const high = this.#take("\\") ? this.#escapedCodePoint(at) : this.#codePoint();
    if (high < low) throw this.#error("the range ends before it begins", at);
    return `${escaped(low)}-${escaped(high)}`;
  }

  #literal(codePoint: number, at: number): Node {
    return { kind: "set", set: this.#set(`[${escaped(codePoint)}]`, at, codePoint) };
  }

  /** The same object for the same set: each asks a regular expression of JavaScript's, which takes time to make. */
  #set(source: string, at: number, codePoint?: number): CharacterSet {
    const { ignoreCase } = this.#flags;
    const key = `${ignoreCase ? "i" : ""}${source}`;
    const known = this.#sets.get(key);
    if (known !== undefined) return known;
    const set = new CharacterSet(source, ignoreCase, codePoint);
    this.#sets.set(key, set);
    if (set.only === undefined && ++this.#classes > MAX_CLASSES) {
      throw this.#error(`at most ${MAX_CLASSES} different classes of characters`, at);
    }
    return set;
  }

  #codePoint(): number {
    const code = this.#pattern.codePointAt(this.#at) ?? 0;
    this.#at += code > 0xffff ? 2 : 1;
    return code;
  }

  #sees(text: string): boolean {
    return this.#pattern.startsWith(text, this.#at);
  }

  #take(text: string): boolean {
    if (!this.#sees(text)) return false;
    this.#at += text.length;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#pattern);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }

  #error(message: string, at = this.#at): InvalidRegex {
    return new InvalidRegex(message, at);
  }
}

const ASSERTIONS: ReadonlyMap<string, Assertion> = new Map([
  ["A", "text-start"],
  ["z", "text-end"],
  ["b", "word-boundary"],
  ["B", "no-word-boundary"],
]);

function assertion(kind: Assertion): Node {
  return { kind: "assertion", assertion: kind };
}

function withFlags(flags: Flags, letters: string, value: boolean): Flags {
  const named = Array.from(letters, (letter) => FLAG_NAMES.get(letter)).filter((name) => name !== undefined);
  return { ...flags, ...Object.fromEntries(named.map((name) => [name, value])) };
}

function escaped(codePoint: number): string {
  return `\\u{${codePoint.toString(16)}}`;
}

function isValidClass(source: string): boolean {
  try {
    // Not "v": that knows classes of several characters, which are no sets of characters.
    void new RegExp(source, "u");
    return true;
  } catch {
    return false;
  }
}

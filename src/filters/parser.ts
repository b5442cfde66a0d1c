import { quoted } from "../shared/quoted.ts";
import { InvalidFilter } from "./errors.ts";
import type { Expression, Loop, LoopNames, Selector, StateTerm, ValueOperator } from "./expression.ts";
import { InvalidRegex, Regex } from "./regex/regex.ts";
import { diagnoseSelector, diagnoseValue, type Diagnostic } from "./selectors.ts";
import { tokensOf, type Token } from "./tokens.ts";
import { namesOf } from "../shared/json-pointer.ts";

/** Bounds on what is read, and with them on what the reading and each evaluation can cost. */
/** Characters. @internal */
export const MAX_FILTER_LENGTH = 4096;
/** Brackets within brackets. @internal */
export const MAX_FILTER_DEPTH = 32;
/** @internal */
export const MAX_FILTER_TERMS = 200;
/** Of all its regular expressions together. @internal */
export const MAX_FILTER_STATES = 2000;

const OPERATORS = ["==", "!=", "contains", "matches", "in", "is", "not"] as const;
const RESERVED: readonly string[] = ["and", "or", "not", "in", "is", "contains", "matches"];

export interface ParserOptions {
  /** Names of all signals there are. */
  readonly signals: readonly string[];
}

/** @throws InvalidFilter at the first thing that cannot be. */
export function parseExpression(text: string, options: ParserOptions): Expression {
  if (text.length > MAX_FILTER_LENGTH) {
    throw new InvalidFilter({
      text,
      at: MAX_FILTER_LENGTH,
      problem: `the expression has ${text.length} characters`,
      expected: [`at most ${MAX_FILTER_LENGTH}`],
    });
  }
  return new Parser(text, options).whole();
}

/** Recursive descent: or, and, not, then parentheses, loops and terms. Chains are lists, so only nesting recurses. */
class Parser {
  readonly #text: string;
  readonly #signals: readonly string[];
  readonly #tokens: readonly Token[];
  readonly #bound: (string | null)[] = [];
  #next = 0;
  #depth = 0;
  #terms = 0;
  #states = 0;

  constructor(text: string, { signals }: ParserOptions) {
    this.#text = text;
    this.#signals = signals;
    this.#tokens = tokensOf(text);
  }

  whole(): Expression {
    const expression = this.#or();
    if (this.#peek().kind !== "end") throw this.#unexpected(["and", "or", "the end"]);
    return expression;
  }

  #or(): Expression {
    return this.#chain("or", () => this.#chain("and", () => this.#not()));
  }

  #chain(kind: "and" | "or", operand: () => Expression): Expression {
    const first = operand();
    const operands = [first];
    while (this.#takeWord(kind)) operands.push(operand());
    return operands.length === 1 ? first : { kind, operands };
  }

  #not(): Expression {
    let negated = false;
    while (this.#takeWord("not")) negated = !negated;
    const operand = this.#primary();
    return negated ? { kind: "not", operand } : operand;
  }

  #primary(): Expression {
    if (this.#takeSymbol("(")) return this.#nested(")");
    return this.#loop() ?? this.#term();
  }

  /** An expression up to its closing bracket; the opening one was taken. */
  #nested(close: string): Expression {
    if (++this.#depth > MAX_FILTER_DEPTH) {
      throw this.#problem(this.#tokens[this.#next - 1], {
        problem: "too many brackets within brackets",
        expected: [`at most ${MAX_FILTER_DEPTH}`],
      });
    }
    const expression = this.#or();
    if (!this.#takeSymbol(close)) throw this.#unexpected(["and", "or", close]);
    this.#depth -= 1;
    return expression;
  }

  #loop(): Loop | undefined {
    const [quantifier, over, as] = this.#tokens.slice(this.#next, this.#next + 3);
    const kind = quantifier?.source;
    if ((kind !== "any" && kind !== "all") || over === undefined || !isWord(as, "as")) return undefined;
    this.#count();
    this.#next += 1;
    const selector = this.#selector();
    this.#next += 1;
    const names = this.#loopNames();
    if (!this.#takeSymbol("{")) throw this.#unexpected(["{"]);
    const bound = this.#bound.length;
    this.#bound.push(...(names.mode === "one" ? [names.name] : [names.key, names.value]));
    const inner = this.#nested("}");
    this.#bound.length = bound;
    return { kind, selector, names, inner };
  }

  #loopNames(): LoopNames {
    const first = this.#loopName();
    if (!this.#takeSymbol(",")) {
      if (first === null) throw this.#unexpected([", and a second name"]);
      return { mode: "one", name: first };
    }
    const secondAt = this.#peek();
    const second = this.#loopName();
    if (first === second) {
      throw this.#problem(secondAt, { problem: "key and value have one name", expected: ["another name"] });
    }
    return { mode: "pair", key: first, value: second };
  }

  /** Null for `_`, which gives no name. */
  #loopName(): string | null {
    if (this.#takeSymbol("_")) return null;
    const token = this.#peek();
    if (token.kind !== "name" || token.path.length > 1 || RESERVED.includes(token.source)) {
      throw this.#unexpected(["a name", "_"]);
    }
    this.#next += 1;
    return token.source;
  }

  #term(): Expression {
    this.#count();
    return this.#valueFirst() ?? this.#selectorFirst();
  }

  /** `value in selector`, `value not in selector`. */
  #valueFirst(): Expression | undefined {
    const [, second, third] = this.#tokens.slice(this.#next, this.#next + 3);
    const negated = isWord(second, "not") && isWord(third, "in");
    if (!negated && !isWord(second, "in")) return undefined;
    const token = this.#peek();
    const value = this.#value();
    this.#next += negated ? 2 : 1;
    return this.#valueTerm(this.#selector(), "contains", negated, value, token);
  }

  #selectorFirst(): Expression {
    const selector = this.#selector();
    if (this.#takeSymbol("==")) return this.#valueTermHere(selector, "equals", false);
    if (this.#takeSymbol("!=")) return this.#valueTermHere(selector, "equals", true);
    if (this.#takeWord("is")) return this.#stateTerm(selector);
    const negated = this.#takeWord("not");
    for (const operator of ["contains", "matches"] as const) {
      if (this.#takeWord(operator)) return this.#valueTermHere(selector, operator, negated);
    }
    throw this.#unexpected(negated ? ["contains", "matches", "in"] : OPERATORS);
  }

  #stateTerm(selector: Selector): StateTerm {
    const negated = this.#takeWord("not");
    for (const operator of ["empty", "nil"] as const) {
      if (this.#takeWord(operator)) return { kind: "state", selector, operator, negated };
    }
    throw this.#unexpected(negated ? ["empty", "nil"] : ["empty", "nil", "not empty", "not nil"]);
  }

  #valueTermHere(selector: Selector, operator: ValueOperator, negated: boolean): Expression {
    const token = this.#peek();
    return this.#valueTerm(selector, operator, negated, this.#value(), token);
  }

  #valueTerm(
    selector: Selector,
    operator: ValueOperator,
    negated: boolean,
    value: string,
    token: Token,
  ): Expression {
    if (operator === "matches") this.#checkRegex(value, token);
    else if (selector.slot === undefined) {
      const diagnostic = diagnoseValue(selector.path, operator, value, this.#signals);
      if (diagnostic !== undefined) throw this.#problem(token, diagnostic);
    }
    return { kind: "value", selector, operator, negated, value };
  }

  #checkRegex(pattern: string, token: Token): void {
    try {
      this.#states += new Regex(pattern).size;
    } catch (error) {
      if (error instanceof InvalidRegex) throw this.#badRegex(error, token);
      throw error;
    }
    if (this.#states > MAX_FILTER_STATES) {
      throw this.#problem(token, {
        problem: "the regular expressions are too large together",
        expected: [`at most ${MAX_FILTER_STATES} states`],
      });
    }
  }

  #badRegex({ message, at }: InvalidRegex, token: Token): InvalidFilter {
    // What is escaped moves the place; between backticks, and without escapes, it is exact.
    const offset = Math.min(token.kind === "string" ? at + 1 : at, token.source.length);
    return new InvalidFilter({
      text: this.#text,
      at: token.at + offset,
      problem: `in the regular expression: ${message}`,
      expected: [],
    });
  }

  #value(): string {
    const token = this.#peek();
    const isReserved = token.kind === "name" && RESERVED.includes(token.source);
    if (token.kind === "symbol" || token.kind === "end" || isReserved) {
      throw this.#unexpected(["a value"], isReserved ? `Quote it: "${token.source}"` : undefined);
    }
    this.#next += 1;
    if (token.kind === "string") return token.value;
    return token.kind === "name" ? token.path.join(".") : token.source;
  }

  #selector(): Selector {
    const token = this.#peek();
    const path = pathOf(token);
    if (path === undefined || (token.kind === "name" && RESERVED.includes(token.source))) {
      const hint =
        token.kind === "string" ? 'Selectors are not quoted, unless as pointers: "/after/ID"' : undefined;
      throw this.#unexpected(["a selector"], hint);
    }
    this.#next += 1;
    const slot = this.#bound.lastIndexOf(path[0] ?? null);
    if (slot >= 0) return { path, slot };
    const diagnostic = diagnoseSelector(path);
    if (diagnostic !== undefined) throw this.#problem(token, diagnostic);
    return { path };
  }

  #count(): void {
    if (++this.#terms <= MAX_FILTER_TERMS) return;
    throw this.#problem(this.#peek(), {
      problem: "too many terms",
      expected: [`at most ${MAX_FILTER_TERMS}`],
    });
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { kind: "end", at: this.#text.length, source: "" };
  }

  #takeWord(word: string): boolean {
    return this.#take(isWord(this.#peek(), word));
  }

  #takeSymbol(symbol: string): boolean {
    const token = this.#peek();
    return this.#take(token.kind === "symbol" && token.source === symbol);
  }

  #take(isThere: boolean): boolean {
    if (isThere) this.#next += 1;
    return isThere;
  }

  #unexpected(expected: readonly string[], hint?: string): InvalidFilter {
    const token = this.#peek();
    const problem = token.kind === "end" ? "the expression ends here" : `found ${quoted(token.source)}`;
    return this.#problem(token, { problem, expected, ...(hint !== undefined && { hint }) });
  }

  #problem(token: Token | undefined, diagnostic: Diagnostic): InvalidFilter {
    return new InvalidFilter({ text: this.#text, at: token?.at ?? 0, ...diagnostic });
  }
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === "name" && token.source === word;
}

/** Names of a selector: dotted, or a JSON Pointer in double quotes. */
function pathOf(token: Token): readonly string[] | undefined {
  if (token.kind === "name") return token.path;
  if (token.kind !== "string" || !token.mayBePointer) return undefined;
  return namesOf(token.value);
}

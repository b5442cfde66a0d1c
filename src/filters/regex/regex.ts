import { includesWithin, spendOnComparing, type Budget } from "../budget.ts";
import { compileRegex, type Program } from "./program.ts";
import { InvalidRegex, parseRegex, type Assertion, type Node } from "./syntax.ts";

export { InvalidRegex };

const NEWLINE = 10;
/** Before the first character and after the last. */
const NOTHING = -1;

const STEPS_OF_A_CHARACTER = 2;
const STEPS_OF_A_STATE = 2;
/** To begin takes as long as that, whatever the text. */
const STEPS_OF_A_TEST = 4;

const UNBOUNDED: Budget = { spend: () => undefined };

/**
 * A regular expression in a large part of RE2's syntax (docs/filters.md), matched in time proportional to the
 * text's length times the expression's size, whatever both are: all ways to match are followed at once, and no
 * text is looked at twice.
 */
export class Regex {
  readonly #program: Program;
  readonly #plain: PlainText | undefined;
  readonly #current: StateSet;
  readonly #following: StateSet;
  readonly #pending: number[] = [];

  /** @throws InvalidRegex */
  constructor(pattern: string) {
    const node = parseRegex(pattern);
    this.#program = compileRegex(node);
    this.#plain = plainTextOf(node);
    this.#current = new StateSet(this.#program.instructions.length);
    this.#following = new StateSet(this.#program.instructions.length);
  }

  /** States it may be in: what it takes of memory, and at most of steps for each character. */
  get size(): number {
    return this.#program.instructions.length;
  }

  /** Whether it matches anywhere in the text. The budget hears of each state at each character. */
  test(text: string, budget: Budget = UNBOUNDED): boolean {
    budget.spend(STEPS_OF_A_TEST);
    return this.#plain === undefined ? this.#run(text, budget) : holds(this.#plain, text, budget);
  }

  #run(text: string, budget: Budget): boolean {
    let [current, following] = [this.#current, this.#following];
    current.clear();
    let before = NOTHING;
    for (let at = 0; ;) {
      const code = text.codePointAt(at) ?? NOTHING;
      if (this.#enter(this.#program.start, current, before, code)) return true;
      if (code === NOTHING) return false;
      at += code > 0xffff ? 2 : 1;
      budget.spend(STEPS_OF_A_CHARACTER + STEPS_OF_A_STATE * current.size);
      following.clear();
      if (this.#step(current, following, code, text.codePointAt(at) ?? NOTHING)) return true;
      [current, following] = [following, current];
      before = code;
    }
  }

  /** Moves every state over one character. Answers whether that ends a match. */
  #step(from: StateSet, to: StateSet, code: number, after: number): boolean {
    const { instructions } = this.#program;
    for (let position = 0; position < from.size; position++) {
      const instruction = instructions[from.at(position)];
      if (instruction?.kind !== "character" || !instruction.set.has(code)) continue;
      // Where many states lead to the same one, all but the first are done here.
      if (!to.has(instruction.next) && this.#enter(instruction.next, to, code, after)) return true;
    }
    return false;
  }

  /** Adds a state and all that it leads to without a character. Answers whether the match is among them. */
  #enter(state: number, states: StateSet, before: number, after: number): boolean {
    const pending = this.#pending;
    const { instructions } = this.#program;
    pending.length = 0;
    pending.push(state);
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (!states.add(next)) continue;
      const instruction = instructions[next];
      if (instruction?.kind === "fork") {
        for (const option of instruction.next) if (!states.has(option)) pending.push(option);
      } else if (instruction?.kind === "match") return true;
      else if (instruction?.kind === "assertion" && isTrue(instruction.assertion, before, after)) {
        pending.push(instruction.next);
      }
    }
    return false;
  }
}

/** States in the order they were added, each once; emptied at once. */
class StateSet {
  readonly #members: Uint16Array;
  readonly #positions: Uint16Array;
  size = 0;

  constructor(states: number) {
    this.#members = new Uint16Array(states);
    this.#positions = new Uint16Array(states);
  }

  at(position: number): number {
    return this.#members[position] ?? 0;
  }

  has(state: number): boolean {
    const position = this.#positions[state] ?? 0;
    return position < this.size && this.#members[position] === state;
  }

  /** False where it is there already. */
  add(state: number): boolean {
    if (this.has(state)) return false;
    this.#members[this.size] = state;
    this.#positions[state] = this.size;
    this.size += 1;
    return true;
  }

  clear(): void {
    this.size = 0;
  }
}

function isTrue(assertion: Assertion, before: number, after: number): boolean {
  switch (assertion) {
    case "text-start":
      return before === NOTHING;
    case "text-end":
      return after === NOTHING;
    case "line-start":
      return before === NOTHING || before === NEWLINE;
    case "line-end":
      return after === NOTHING || after === NEWLINE;
    case "word-boundary":
      return isWord(before) !== isWord(after);
    case "no-word-boundary":
      return isWord(before) === isWord(after);
    default:
      return assertion satisfies never;
  }
}

function isWord(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x61 && code <= 0x7a) ||
    code === 0x5f
  );
}

/** What most expressions are: some text, perhaps at the beginning or the end. */
interface PlainText {
  readonly text: string;
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

function plainTextOf(node: Node): PlainText | undefined {
  const items = node.kind === "sequence" ? [...node.items] : [node];
  const atStart = isAssertion(items[0], "text-start");
  const atEnd = isAssertion(items.at(-1), "text-end");
  const middle = items.slice(atStart ? 1 : 0, atEnd ? -1 : undefined);
  let text = "";
  for (const item of middle) {
    if (item.kind !== "set" || item.set.only === undefined) return undefined;
    text += String.fromCodePoint(item.set.only);
  }
  return { text, atStart, atEnd };
}

function isAssertion(node: Node | undefined, assertion: Assertion): boolean {
  return node?.kind === "assertion" && node.assertion === assertion;
}

function holds({ text, atStart, atEnd }: PlainText, within: string, budget: Budget): boolean {
  if (atStart || atEnd) spendOnComparing(text.length, budget);
  if (atStart) return atEnd ? within === text : within.startsWith(text);
  return atEnd ? within.endsWith(text) : includesWithin(within, text, budget);
}

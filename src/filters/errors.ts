import { ChangefeedError } from "../schemas/errors.ts";

export interface FilterProblem {
  /** The whole expression. */
  readonly text: string;
  /** Where in it, from 0. */
  readonly at: number;
  /** What is there that cannot be: `found "="`. */
  readonly problem: string;
  /** What could stand there instead, for people or to copy. */
  readonly expected: readonly string[];
  readonly hint?: string | undefined;
}

export class InvalidFilter extends ChangefeedError {
  readonly code = "INVALID_FILTER";
  readonly field = "filter";
  /** In characters, from 1. */
  readonly position: number;
  readonly expected: readonly string[];

  constructor({ text, at, problem, expected, hint }: FilterProblem) {
    const wanted = expected.length === 0 || expected.length > 8 ? "" : `; expected ${expected.join(", ")}`;
    super(
      `filter, position ${at + 1}: ${plain(problem)}${wanted}\n${pointer(text, at)}`,
      hint === undefined ? {} : { hint },
    );
    this.position = at + 1;
    this.expected = expected;
  }
}

const SHOWN_BEFORE = 40;
const SHOWN_AFTER = 30;

/** What stands around the position, on one line, and a caret below it. */
function pointer(text: string, at: number): string {
  const from = Math.max(0, at - SHOWN_BEFORE);
  const to = Math.min(text.length, at + SHOWN_AFTER);
  const before = `${from > 0 ? "…" : ""}${plain(text.slice(from, at))}`;
  const after = `${plain(text.slice(at, to))}${to < text.length ? "…" : ""}`;
  return `  ${before}${after}\n  ${" ".repeat(before.length)}^`;
}

function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cs}]/gu, " ");
}

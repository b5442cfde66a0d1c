import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SIGNAL_NAMES } from "../../src/events/signals.ts";
import { MAX_STEPS } from "../../src/filters/evaluation.ts";
import { createFilter } from "../../src/filters/filter.ts";
import {
  MAX_FILTER_DEPTH,
  MAX_FILTER_LENGTH,
  MAX_FILTER_STATES,
  MAX_FILTER_TERMS,
} from "../../src/filters/parser.ts";
import { MAX_PROGRAM_SIZE } from "../../src/filters/regex/program.ts";
import { MAX_CLASSES } from "../../src/filters/regex/syntax.ts";
import { blocksIn } from "../support/pages/pages.ts";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), "utf8");
const PAGE = read("docs/filters.md");

const blocks = blocksIn("docs/filters.md", "filter").flatMap(({ text }) => text.trim().split("\n"));
const commands = ["README.md", "docs/filters.md"].flatMap((path) =>
  [...read(path).matchAll(/(?:filter=|--filter ')(.*)'$/gm)].map(([, text = ""]) => text),
);

describe("docs/filters.md", () => {
  it.each([...blocks, ...commands.filter((text) => text !== "op = update")])(
    "has an example that can be read: %s",
    (text) => {
      expect(() => createFilter(text, { signals: SIGNAL_NAMES })).not.toThrow();
    },
  );

  it("has examples of each kind, and one that is refused as it says", () => {
    expect(blocks.length).toBeGreaterThan(5);
    expect(commands.length).toBeGreaterThan(4);
    expect(() => createFilter("op = update", { signals: [] })).toThrow(
      'filter, position 4: found "="; expected a selector, a value, an operator\n  op = update\n     ^',
    );
  });

  it("names the bounds there are", () => {
    const numbers = [
      MAX_FILTER_LENGTH,
      MAX_FILTER_TERMS,
      MAX_FILTER_DEPTH,
      MAX_FILTER_STATES,
      MAX_PROGRAM_SIZE,
      MAX_STEPS,
      MAX_CLASSES,
    ];
    for (const number of numbers) expect(PAGE).toContain(number.toLocaleString("en"));
  });
});

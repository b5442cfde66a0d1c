import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../../..");
const PLACES = [
  ".",
  "docs",
  "docs/decisions",
  "examples",
  "packages",
  "clients",
  "console",
  "deploy",
  "bench",
];

export interface Page {
  /** From the repository's root: `docs/filters.md`. */
  readonly path: string;
  readonly text: string;
}

export interface Block {
  readonly page: string;
  /** Of its first line of text. */
  readonly line: number;
  /** Of a fence, "" where it names none; `indented` where four spaces make it one. */
  readonly language: string;
  /** Without its fence, and without what indents all of it. */
  readonly text: string;
}

/** Every page that people read, by path; what only those read who test is not among them. */
export function readPages(): Page[] {
  const paths = PLACES.flatMap((place) =>
    readdirSync(join(ROOT, place), { recursive: ["packages", "clients"].includes(place), encoding: "utf8" })
      .filter((name) => name.endsWith(".md") && !name.includes("node_modules"))
      .map((name) => join(place, name)),
  );
  return paths.toSorted().map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));
}

/** A fence with all in it, or lines that four spaces indent below an empty line. */
const BLOCK = /^( *)```(.*)\n([^]*?)^ *```$|(?<=^\n)((?: {4}.*\n|\n(?= {4}))+)/gm;

export function blocksOf({ path, text }: Page): Block[] {
  return [...text.matchAll(BLOCK)].map(({ 1: indent = "", 2: language, 3: fenced, 4: indented, index }) => {
    const before = text.slice(0, index).split("\n").length;
    const margin = new RegExp(`^${fenced === undefined ? "    " : indent}`, "gm");
    return {
      page: path,
      line: before + (fenced === undefined ? 0 : 1),
      language: language === undefined ? "indented" : language.trim(),
      text: (fenced ?? indented ?? "").replaceAll(margin, ""),
    };
  });
}

/** The blocks of one page in a language, in order. */
export function blocksIn(path: string, language: string): Block[] {
  const page = { path, text: readFileSync(join(ROOT, path), "utf8") };
  return blocksOf(page).filter((block) => block.language === language);
}

/** Its text without code: there, brackets are no links and # begins no heading. */
export function proseOf(text: string): string {
  return text.replaceAll(BLOCK, "");
}

import { readFileSync } from "node:fs";
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from "yaml";
import { ConfigInvalid } from "./errors.ts";
import { didYouMean } from "../schemas/nearest.ts";
import { OPTION_NAMES, optionKey, OPTIONS, type OptionDefinition } from "./options.ts";

export interface FileValue {
  readonly value: unknown;
  readonly line: number;
}

/** A part of the file that has an inside of its own. */
export interface FileSection {
  readonly file: string;
  readonly value: unknown;
  /** Line of what stands at that path within it, or of what would hold it. */
  readonly lineOf: (path: readonly PropertyKey[]) => number;
}

const SECTION_NAMES = ["destinations", "redaction", "alerts", "routes"] as const;
export type SectionName = (typeof SECTION_NAMES)[number];

const OPTION_KEYS = OPTION_NAMES.filter((name) => !isNotInFile(OPTIONS[name])).map(optionKey);
/** Keys the file may have. */
const FILE_KEYS = [...OPTION_KEYS, ...SECTION_NAMES];

export interface ConfigFile {
  /** The options by key, each with its line. */
  readonly values: ReadonlyMap<string, FileValue>;
  readonly sections: ReadonlyMap<SectionName, FileSection>;
  /** Keys that are no options, one sentence each: told together with values that cannot be used. */
  readonly problems: readonly string[];
}

/** @throws ConfigInvalid where the file cannot be read, or is not YAML. */
export function readConfigFile(path: string): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(readText(path), { lineCounter: lines, prettyErrors: false });
  const at = (offset: number | undefined) => `${path}:${lines.linePos(offset ?? 0).line}`;
  if (document.errors.length > 0) {
    throw new ConfigInvalid(
      document.errors.map((error) => `${at(error.pos[0])}: not valid YAML: ${error.message}`),
    );
  }
  if (document.contents === null) return { values: new Map(), sections: new Map(), problems: [] };
  if (!isMap(document.contents)) {
    const found = isSeq(document.contents) ? "a list" : "a single value";
    throw new ConfigInvalid([
      `${path}: has ${found}; allowed: lines such as \`cluster: prod\`, without dashes`,
    ]);
  }

  const found = new Map<string, FileValue>();
  const sections = new Map<SectionName, FileSection>();
  const problems: string[] = [];
  for (const { key, value } of document.contents.items) {
    const name = isScalar(key) ? String(key.value) : String(key);
    const offset = isScalar(key) ? key.range?.[0] : undefined;
    if (isSectionName(name)) {
      const lineOf = lineFinder(document, { node: value, offset: offset ?? 0 }, lines);
      sections.set(name, { file: path, value: toPlain(value), lineOf });
    } else if (OPTION_KEYS.includes(name)) {
      found.set(name, { value: toPlain(value), line: lines.linePos(offset ?? 0).line });
    } else {
      problems.push(`${at(offset)}: there is no option "${name}"${didYouMean(name, FILE_KEYS)}`);
    }
  }
  return { values: found, sections, problems };
}

function isSectionName(name: string): name is SectionName {
  return (SECTION_NAMES as readonly string[]).includes(name);
}

/** Finds the lines of what a node holds. An alias stands where it is written, and what it holds where that is. */
function lineFinder(
  document: Document,
  start: { node: Node | null; offset: number },
  lines: LineCounter,
): FileSection["lineOf"] {
  return (path) => {
    let { node, offset } = start;
    for (const step of path) {
      const inside = isAlias(node) ? (node.resolve(document) ?? null) : node;
      const next = memberOf(inside, step);
      if (next === undefined) break;
      ({ node, offset } = next);
    }
    return lines.linePos(offset).line;
  };
}

function memberOf(node: Node | null, step: PropertyKey): { node: Node | null; offset: number } | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
    if (pair === undefined) return undefined;
    return { node: pair.value as Node | null, offset: (pair.key as Node).range?.[0] ?? 0 };
  }
  const item = isSeq(node) ? (node.items[Number(step)] as Node | undefined) : undefined;
  return item === undefined ? undefined : { node: item, offset: item.range?.[0] ?? 0 };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigInvalid([`--config: the file ${path} cannot be read: ${reason}`]);
  }
}

function toPlain(node: unknown): unknown {
  return isScalar(node) ? node.value : JSON.parse(JSON.stringify(node ?? null));
}

function isNotInFile(definition: OptionDefinition): boolean {
  return definition.notInFile === true;
}

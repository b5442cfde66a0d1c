import { readFileSync } from "node:fs";
import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type YAMLMap,
} from "yaml";
import { ConfigInvalid } from "./errors.ts";
import { FEED_NAME, FEED_NAME_ALLOWED, PROCESS_OPTIONS } from "./feed-options.ts";
import { didYouMean } from "../schemas/nearest.ts";
import { OPTION_NAMES, optionKey, OPTIONS, type OptionDefinition } from "./options.ts";

export interface FileValue {
  readonly value: unknown;
  readonly line: number;
  /** The entry that it stands in, as `feeds[1]`. */
  readonly within?: string | undefined;
}

/** A part of the file that has an inside of its own. */
export interface FileSection {
  readonly file: string;
  /** The entry that it stands in, as `feeds[1]`. */
  readonly within?: string | undefined;
  readonly value: unknown;
  /** Line of what stands at that path within it, or of what would hold it. */
  readonly lineOf: (path: readonly PropertyKey[]) => number;
}

const SECTION_NAMES = ["destinations", "redaction", "alerts", "routes"] as const;
export type SectionName = (typeof SECTION_NAMES)[number];

const OPTION_KEYS = OPTION_NAMES.filter((name) => !isNotInFile(OPTIONS[name])).map(optionKey);
const FEEDS = "feeds";
/** Keys the file may have. */
const FILE_KEYS = [...OPTION_KEYS, ...SECTION_NAMES, FEEDS];
const PROCESS_KEYS = PROCESS_OPTIONS.map(optionKey);
/** Keys an entry of `feeds:` may have. */
const ENTRY_KEYS = [
  "name",
  ...[...OPTION_KEYS, ...SECTION_NAMES].filter((key) => !PROCESS_KEYS.includes(key)),
];

/** What a map of options has. */
interface Settings {
  /** The options by key, each with its line. */
  readonly values: ReadonlyMap<string, FileValue>;
  readonly sections: ReadonlyMap<SectionName, FileSection>;
}

export interface ConfigFile extends Settings {
  readonly path: string;
  /** Keys that are no options, one sentence each: told together with values that cannot be used. */
  readonly problems: readonly string[];
  /** Absent: there is one feed, and the file is about it. */
  readonly feeds?: readonly FeedEntry[];
}

/** One of `feeds:`, as it stands there. */
export interface FeedEntry extends Settings {
  readonly name: string;
  readonly line: number;
  /** `feeds[1]` */
  readonly within: string;
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
  if (document.contents === null) return { path, values: new Map(), sections: new Map(), problems: [] };
  if (!isMap(document.contents)) {
    const found = isSeq(document.contents) ? "a list" : "a single value";
    throw new ConfigInvalid([
      `${path}: has ${found}; allowed: lines such as \`cluster: prod\`, without dashes`,
    ]);
  }
  const reading = { path, document, lines, problems: [] as string[] };
  const { others, ...settings } = readSettings(document.contents, reading, { keys: FILE_KEYS });
  const feeds = others.has(FEEDS) ? readFeeds(others.get(FEEDS), reading) : undefined;
  return { path, ...settings, problems: reading.problems, ...(feeds && { feeds }) };
}

interface Reading {
  readonly path: string;
  readonly document: Document;
  readonly lines: LineCounter;
  /** What is found wrong. */
  readonly problems: string[];
}

/** A node, and where its key begins. */
interface Start {
  readonly node: Node | null;
  readonly offset: number;
}

/** Options and sections of a map; `others` has what is neither and may be there. */
function readSettings(
  map: YAMLMap,
  { path, document, lines, problems }: Reading,
  { keys, within }: { keys: readonly string[]; within?: string },
): Settings & { others: Map<string, Start> } {
  const values = new Map<string, FileValue>();
  const sections = new Map<SectionName, FileSection>();
  const others = new Map<string, Start>();
  for (const { key, value } of map.items) {
    const name = isScalar(key) ? String(key.value) : String(key);
    const offset = (isScalar(key) ? key.range?.[0] : undefined) ?? 0;
    const { line } = lines.linePos(offset);
    const start = { node: value as Node | null, offset };
    if (!keys.includes(name)) problems.push(`${path}:${line}: ${unknownKey(name, keys, within)}`);
    else if (isSectionName(name)) {
      const lineOf = lineFinder(document, start, lines);
      sections.set(name, { file: path, within, value: toPlain(value, document), lineOf });
    } else if (OPTION_KEYS.includes(name))
      values.set(name, { value: toPlain(value, document), line, within });
    else others.set(name, start);
  }
  return { values, sections, others };
}

function unknownKey(name: string, keys: readonly string[], within: string | undefined): string {
  if (within === undefined) return `there is no option "${name}"${didYouMean(name, keys)}`;
  return PROCESS_KEYS.includes(name)
    ? `${within}: "${name}" is for the whole process; it stands at the top of the file`
    : `${within}: a feed has no option "${name}"${didYouMean(name, keys)}`;
}

function readFeeds(start: Start | undefined, reading: Reading): FeedEntry[] {
  const { path, document, lines, problems } = reading;
  const lineAt = (offset: number | undefined) => lines.linePos(offset ?? start?.offset ?? 0).line;
  const list = resolved(start?.node ?? null, document);
  if (!isSeq(list) || list.items.length === 0) {
    problems.push(
      `${path}:${lineAt(undefined)}: feeds: is no list of feeds; allowed: a dash before each \`name:\``,
    );
    return [];
  }
  const names = new Map<string, string>();
  return list.items.flatMap((item, at) => {
    const within = `${FEEDS}[${at}]`;
    const line = lineAt((item as Node | null)?.range?.[0]);
    const entry = resolved(item as Node | null, document);
    if (!isMap(entry)) {
      problems.push(`${path}:${line}: ${within}: is no map; allowed: \`name:\` and options of a feed`);
      return [];
    }
    const { others, ...settings } = readSettings(entry, reading, { keys: ENTRY_KEYS, within });
    const given = others.get("name");
    const name = given === undefined ? undefined : toPlain(given.node, document);
    if (typeof name !== "string" || !FEED_NAME.test(name)) {
      const found =
        name === undefined || name === null ? "is missing" : `${JSON.stringify(name)} is not allowed`;
      problems.push(
        `${path}:${given === undefined ? line : lineAt(given.offset)}: ${within}.name: ${found}; allowed: ${FEED_NAME_ALLOWED}`,
      );
      return [];
    }
    const other = names.get(name);
    if (other !== undefined) {
      problems.push(
        `${path}:${lineAt(given?.offset)}: ${within}.name: ${other} is called "${name}" too; allowed: a name of its own`,
      );
    }
    names.set(name, within);
    return [{ name, line, within, ...settings }];
  });
}

function resolved(node: Node | null, document: Document): Node | null {
  return isAlias(node) ? (node.resolve(document) ?? null) : node;
}

function isSectionName(name: string): name is SectionName {
  return (SECTION_NAMES as readonly string[]).includes(name);
}

/** Finds the lines of what a node holds. An alias stands where it is written, and what it holds where that is. */
function lineFinder(document: Document, start: Start, lines: LineCounter): FileSection["lineOf"] {
  return (path) => {
    let { node, offset } = start;
    for (const step of path) {
      const next = memberOf(resolved(node, document), step);
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

/** Aliases stand for what they name. */
function toPlain(node: unknown, document: Document): unknown {
  return isNode(node) ? (node.toJS(document) as unknown) : null;
}

function isNotInFile(definition: OptionDefinition): boolean {
  return definition.notInFile === true;
}

import { readFileSync } from "node:fs";
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import { ConfigInvalid } from "./errors.ts";
import { didYouMean } from "../schemas/nearest.ts";
import { OPTION_NAMES, optionKey, OPTIONS, type OptionDefinition } from "./options.ts";

export interface FileValue {
  readonly value: unknown;
  readonly line: number;
}

/** Keys the file may have. */
const FILE_KEYS = OPTION_NAMES.filter((name) => !isNotInFile(OPTIONS[name])).map(optionKey);

export interface ConfigFile {
  /** The options by key, each with its line. */
  readonly values: ReadonlyMap<string, FileValue>;
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
  if (document.contents === null) return { values: new Map(), problems: [] };
  if (!isMap(document.contents)) {
    const found = isSeq(document.contents) ? "a list" : "a single value";
    throw new ConfigInvalid([
      `${path}: has ${found}; allowed: lines such as \`cluster: prod\`, without dashes`,
    ]);
  }

  const found = new Map<string, FileValue>();
  const problems: string[] = [];
  for (const { key, value } of document.contents.items) {
    const name = isScalar(key) ? String(key.value) : String(key);
    const offset = isScalar(key) ? key.range?.[0] : undefined;
    if (FILE_KEYS.includes(name)) {
      found.set(name, { value: toPlain(value), line: lines.linePos(offset ?? 0).line });
    } else {
      problems.push(`${at(offset)}: there is no option "${name}"${didYouMean(name, FILE_KEYS)}`);
    }
  }
  return { values: found, problems };
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

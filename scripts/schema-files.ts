/**
 * Writes what `schema <name>` prints into a folder, one file a name: `schema-files.ts <folder> [<name> …]`, without names
 * all of them. The packages have these files, a checkout does not.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { schemaCommand } from "../src/commands/schema.ts";
import { DOCUMENT_NAMES, SCHEMA_NAMES } from "../src/schemas/json-schema.ts";

/** Leaves nothing else in the folder. */
export function writeSchemas(
  folder: string,
  names: readonly string[] = [...SCHEMA_NAMES, ...DOCUMENT_NAMES],
): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of names) schemaCommand(name, (text) => writeFileSync(join(folder, `${name}.json`), text));
}

if (import.meta.main) {
  const [folder, ...names] = process.argv.slice(2);
  if (folder === undefined) throw new Error("Say into which folder: schema-files.ts <folder> [<name> …]");
  writeSchemas(folder, names.length === 0 ? undefined : names);
}

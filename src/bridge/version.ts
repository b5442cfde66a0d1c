import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";

/** The version in the nearest package.json, from the sources as from the built files. */
export function packageVersion(): string {
  const file = findPackageJSON("..", import.meta.url);
  if (file === undefined) return "unknown";
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";

/** The version in the nearest package.json, from the sources as from the built files. */
export function packageVersion(): string {
  const file = findPackageJSON("..", import.meta.url);
  if (file === undefined) return "unknown";
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

/** Where the console is built to: in a checkout, in the package and in the image alike. */
export function consoleFolder(): string {
  const file = findPackageJSON("..", import.meta.url);
  return join(file === undefined ? "." : dirname(file), "console", "dist");
}

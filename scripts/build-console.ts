import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { FileLock } from "../src/shared/file-lock.ts";

const ROOT = join(import.meta.dirname, "..");
const BUILT = join(ROOT, "console/dist");
const CACHE = join(ROOT, "node_modules/.cache");
/** What the page is made of, in the repository. */
const SOURCES = ["console", "packages/client/src", "package-lock.json"];
const IS_NO_SOURCE = /(^|\/)(dist|node_modules)(\/|$)/;

/**
 * Builds the console where it is missing, or older than what it is made of; whoever else wants it meanwhile waits.
 * Answers where it is.
 */
export async function buildConsole(): Promise<string> {
  mkdirSync(CACHE, { recursive: true });
  while (isOld()) {
    using lock = FileLock.acquire(join(CACHE, "console-build.lock"));
    if (lock === undefined) {
      await sleep(100);
      continue;
    }
    if (isOld()) await build();
    break;
  }
  return BUILT;
}

async function build(): Promise<void> {
  process.stderr.write("Building the console (npm run build -w console).\n");
  const vite = join(ROOT, "node_modules/vite/bin/vite.js");
  await promisify(execFile)(process.execPath, [vite, "build", "console", "--logLevel", "warn"], {
    cwd: ROOT,
  });
}

function isOld(): boolean {
  const page = join(BUILT, "index.html");
  if (!existsSync(page)) return true;
  const builtAtMs = statSync(page).mtimeMs;
  return SOURCES.some((source) => filesOf(source).some((file) => statSync(file).mtimeMs > builtAtMs));
}

function filesOf(source: string): string[] {
  const path = join(ROOT, source);
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((name) => !IS_NO_SOURCE.test(name))
    .map((name) => join(path, name))
    .filter((file) => statSync(file).isFile());
}

if (import.meta.main) await buildConsole();

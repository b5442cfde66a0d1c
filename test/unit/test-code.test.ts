import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const files = ["test", "bench"]
  .flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  )
  .filter((path) => path.endsWith(".ts") && path !== "test/unit/test-code.test.ts")
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));

/** Files whose text matches. */
const having = (pattern: RegExp) => files.filter(({ text }) => pattern.test(text)).map(({ path }) => path);

it("every process that a test or a benchmark starts beside itself has an owner", () => {
  expect(having(/(?<!\bown\(\s*)(?<![\w.])(spawn|fork)\(/)).toEqual([]);
});

it("tests wait with `until`, which gives up on what hangs only; vitest's own give up after a second", () => {
  expect(having(/\bvi\.wait(For|Until)\(|\bexpect\.poll\(/)).toEqual([]);
});

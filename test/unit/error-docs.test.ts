import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { errorClasses, errorDocs } from "../support/error-docs.ts";

const SOURCES = join(import.meta.dirname, "../../src");

it("docs/errors.md lists every code as the sources have it", async () => {
  await expect(errorDocs(SOURCES)).toMatchFileSnapshot("../../docs/errors.md");
});

it("misses no error class: each has a docblock, and a code of its own", () => {
  const declared = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .flatMap(
      (name) => readFileSync(join(SOURCES, name), "utf8").match(/class \w+ extends ChangefeedError/g) ?? [],
    );
  const found = errorClasses(SOURCES);
  expect(found.map(({ name }) => `class ${name} extends ChangefeedError`).toSorted()).toEqual(
    declared.toSorted(),
  );
  const codes = found.map(({ name, code }) => code ?? name);
  expect(new Set(codes).size).toBe(codes.length);
  for (const { says } of found) expect(says).not.toBe("");
});

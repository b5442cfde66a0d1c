import { expect, it } from "vitest";
import { errorClasses, errorDocs } from "../support/error-docs.ts";
import { sourceFiles } from "../support/sources.ts";

it("docs/errors.md lists every code as the sources have it", async () => {
  await expect(errorDocs()).toMatchFileSnapshot("../../docs/errors.md");
});

it("misses no error class: each has a docblock, and a code of its own", () => {
  const declared = sourceFiles().flatMap(
    ({ text }) => text.match(/class \w+ extends ChangefeedError/g) ?? [],
  );
  const found = errorClasses();
  expect(found.map(({ name }) => `class ${name} extends ChangefeedError`).toSorted()).toEqual(
    declared.toSorted(),
  );
  const codes = found.map(({ name, code }) => code ?? name);
  expect(new Set(codes).size).toBe(codes.length);
  for (const { says } of found) expect(says).not.toBe("");
});

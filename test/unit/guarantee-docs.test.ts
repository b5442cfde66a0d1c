import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), "utf8");

const PAGE = read("docs/delivery-guarantees.md");
const PROMISES = ["G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8"] as const;

/** The page's part about one promise. */
function sectionOf(promise: string): string {
  return PAGE.split(/^## /m).find((section) => section.startsWith(`${promise} `)) ?? "";
}

/** Files a promise names, each with the tests it names in it. */
function testsOf(promise: string): { file: string; names: string[] }[] {
  return sectionOf(promise)
    .split(/^- (?=`test\/)/m)
    .slice(1)
    .map((item) => ({
      file: /^`([^`]+)`/.exec(item)?.[1] ?? "",
      names: [...item.matchAll(/^ {2}- "([^"]+)"/gm)].map(([, name]) => name ?? ""),
    }));
}

test.each(PROMISES)("docs/delivery-guarantees.md names tests of %s that exist", (promise) => {
  const tests = testsOf(promise);
  expect(tests.length).toBeGreaterThan(0);
  const unknown = tests.flatMap(({ file, names }) => {
    if (names.length === 0) return [`${file}: no test named`];
    const source = read(file);
    return names.filter((name) => !source.includes(name)).map((name) => `${file}: ${name}`);
  });
  expect(unknown).toEqual([]);
});

test.each(PROMISES)("the README names files of %s that the page names too", (promise) => {
  const row = read("README.md")
    .split("\n")
    .find((line) => line.startsWith(`| ${promise} `));
  const files = [...(row ?? "").matchAll(/`(test\/[^`]+)`/g)].map(([, file]) => file ?? "");
  expect(files.length).toBeGreaterThan(0);
  const known = testsOf(promise).map(({ file }) => file);
  expect(files.filter((file) => !known.includes(file))).toEqual([]);
});

test("links between the pages lead somewhere", () => {
  const broken = ["README.md", "CONTRIBUTING.md", "docs/operations.md", "docs/concepts.md"]
    .concat("docs/delivery-guarantees.md")
    .flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)]*))?\)/g)]
        .filter(([, path = "", anchor]) => {
          const target = path === "" ? new URL(page, ROOT) : new URL(path, new URL(page, ROOT));
          return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
        })
        .map(([link]) => `${page}: ${link}`),
    );
  expect(broken).toEqual([]);
});

/** Anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: URL): string[] {
  return [...readFileSync(page, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

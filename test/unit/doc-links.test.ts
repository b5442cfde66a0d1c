import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, it } from "vitest";
import { proseOf, readPages, ROOT } from "../support/pages/pages.ts";
import { sourceFiles } from "../support/sources.ts";

const pages = readPages().map(({ path }) => join(ROOT, path));

function proseIn(page: string): string {
  return proseOf(readFileSync(page, "utf8"));
}

/** As the usual renderers name a heading, numbered where it is not the first of its name. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of proseIn(page).matchAll(/^#{1,6} (.+)$/gm)) {
    const name = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(" ", "-");
    let unique = name;
    for (let number = 1; anchors.has(unique); number += 1) unique = `${name}-${number}`;
    anchors.add(unique);
  }
  return anchors;
}

function linksOf(page: string): string[] {
  return [...proseIn(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

function leadsNowhere(page: string, target: string): boolean {
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? page : join(dirname(page), path);
  if (!existsSync(file)) return true;
  return anchor !== undefined && (statSync(file).isDirectory() || !anchorsOf(file).has(anchor));
}

it("every link between the pages leads to a file, and to a heading there", () => {
  const links = pages.flatMap((page) => linksOf(page).map((target) => ({ page, target })));
  expect(links.length).toBeGreaterThan(50);
  const dead = links.filter(({ page, target }) => leadsNowhere(page, target));
  expect(dead.map(({ page, target }) => `${relative(ROOT, page)}: ${target}`)).toEqual([]);
});

it("every @throws names errors that there are", () => {
  const sources = sourceFiles();
  const classes = new Set(
    sources.flatMap(({ text }) => [...text.matchAll(/class (\w+)/g)].map(([, name]) => name)),
  );
  // The first word, and whatever else looks like the name of a class.
  const named = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/@throws ((?:[^*@]|\*(?!\/))*)/g)].flatMap(([, said = ""]) =>
      [...said.matchAll(/^[A-Z]\w*|\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b/g)].map(([error]) => ({ path, error })),
    ),
  );
  expect(named.length).toBeGreaterThan(20);
  const unknown = named.filter(({ error }) => !classes.has(error) && !(error in globalThis));
  expect(unknown.map(({ path, error }) => `${path}: ${error}`)).toEqual([]);
});

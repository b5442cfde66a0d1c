import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ACCOUNTS, accountOf, isShell, nameIn } from "../support/pages/accounts.ts";
import { problemsOfCommand } from "../support/pages/command-checks.ts";
import { problemsOfYaml } from "../support/pages/config-checks.ts";
import { problemsOfJson } from "../support/pages/json-checks.ts";
import { blocksOf, proseOf, readPages, ROOT, type Block } from "../support/pages/pages.ts";
import { shellCommands } from "../support/pages/shell-commands.ts";
import { problemsOfTypes } from "../support/pages/type-checks.ts";

const pages = readPages();
const blocks = pages.flatMap(blocksOf);
/** Languages whose blocks are all checked here, wherever they stand. */
const CHECKED_HERE = ["yaml", "ts"];
/** The page says so: it shows what is refused. */
const REFUSED = ["filter=op = update"];

const place = ({ page, line }: Block) => `${page}:${line}`;
const inLanguage = (...languages: string[]) => blocks.filter(({ language }) => languages.includes(language));

describe("each block of code of the pages", () => {
  it("is found", () => {
    expect(blocks.length).toBeGreaterThan(150);
    expect(pages.filter(({ text }) => /^ *```/m.test(proseOf(text))).map(({ path }) => path)).toEqual([]);
  });

  it("names its language, or is indented and typed into a shell", () => {
    expect(inLanguage("").map(place)).toEqual([]);
  });

  it("is run by a test, made by one, checked here, or left out for a reason", () => {
    const unknown = blocks.filter(
      (block) => accountOf(block) === undefined && !CHECKED_HERE.includes(block.language),
    );
    expect(
      unknown.map(place),
      "Nobody knows whether these are right: name who runs each, or why nobody does, in test/support/pages/accounts.ts",
    ).toEqual([]);
  });

  it("is dealt with by a test that there is, and that names it", () => {
    const wrong = ACCOUNTS.filter(({ test }) => test !== undefined).filter((account) => {
      const path = join(ROOT, account.test ?? "");
      return !existsSync(path) || !readFileSync(path, "utf8").includes(nameIn(account));
    });
    expect(wrong).toEqual([]);
  });

  it("has the account that is meant for it, and no account is for none", () => {
    const used = new Set(blocks.map(accountOf));
    expect(ACCOUNTS.filter((account) => !used.has(account))).toEqual([]);
    const saying = ACCOUNTS.map(({ test, because, shape }) => [test, because, shape].filter(Boolean).length);
    expect(saying.every((count) => count === 1)).toBe(true);
  });
});

describe("what the pages show", () => {
  it.each(blocks.filter(isShell).map((block) => [place(block), block] as const))(
    "has commands, flags, addresses and parameters that there are, at %s",
    async (_place, { text }) => {
      const problems = await Promise.all(shellCommands(text).map(problemsOfCommand));
      expect(
        problems.flat().filter((problem) => !REFUSED.some((part) => decoded(problem).includes(part))),
      ).toEqual([]);
    },
  );

  it.each(inLanguage("yaml").map((block) => [place(block), block] as const))(
    "is read without a complaint by whoever reads such a file, at %s",
    (_place, block) => expect(problemsOfYaml(block)).toEqual([]),
  );

  it.each(
    blocks.flatMap((block) => {
      const shape = accountOf(block)?.shape;
      return shape === undefined ? [] : [[place(block), shape, block] as const];
    }),
  )("is JSON, at %s, of the shape: %s", (_place, shape, { text }) => {
    expect(problemsOfJson(text, shape)).toEqual([]);
  });

  it("has the types of the client, and a mistake in them is found by page and line", () => {
    expect(inLanguage("ts").length).toBeGreaterThan(5);
    const mistaken = { page: "a.md", line: 7, text: 'const a: number = "";\nsubscribe({ url, typs: [] });' };
    expect(problemsOfTypes([...inLanguage("ts"), { ...mistaken, language: "ts" }])).toEqual([
      expect.stringMatching(/^a\.md:7: error .* not assignable to type 'number'/),
      expect.stringMatching(/^a\.md:8: error .*'typs' does not exist/),
    ]);
  });
});

function decoded(problem: string): string {
  return decodeURIComponent(problem).replaceAll("+", " ");
}

describe("the checks find", () => {
  const commands = async (text: string) =>
    (await Promise.all(shellCommands(text).map(problemsOfCommand))).flat().join("\n");

  it.each([
    ["nomad-changefeed tail --min-severty WARN", "unknown option '--min-severty'"],
    ["npm run --silent start -- deliver", "unknown command 'deliver'"],
    ["FOO=1 nomad-changefeed run --feed redis-s://a | jq .", "--feed"],
    ["npm run nothing -w console", "console/package.json has no script nothing"],
    ["curl 'http://127.0.0.1:4650/v1/events?type=jobs'", 'There is no parameter "type"'],
    ["curl -G http://127.0.0.1:4650/v1/events --data-urlencode 'filter=a ='", "position"],
    ["curl http://127.0.0.1:4650/v2/events", "no such path"],
    [
      "npx wscat -c 'ws://127.0.0.1:4650/v1/events?order=newest-first'",
      "A stream goes on with whatever comes",
    ],
    ["echo $(examples/nothing.sh) # scripts/none", "there is no examples/nothing.sh"],
    ["npx --no-install node examples/consume.ts --consume pager", "no option --consume"],
  ])("what is wrong with %s", async (text, problem) => {
    expect(await commands(text)).toContain(problem);
  });

  it("nothing wrong with what stands in comments and here-documents, or is quoted", async () => {
    const text = `# nomad-changefeed nothing\ncat >a <<'END'\nnomad-changefeed nothing\nEND\nnomad-changefeed tail --filter 'a == "#" ; b'`;
    expect(shellCommands(text).map(({ words }) => words.at(-1))).toEqual(["cat", 'a == "#" ; b']);
  });

  it("what is wrong with YAML and JSON", () => {
    const block = (text: string): Block => ({ page: "a.md", line: 7, language: "", text });
    expect(problemsOfYaml(block("destinations:\n  a: { type: webhok }"))).toContainEqual(
      expect.stringContaining("feed.yaml:2: destinations.a.type"),
    );
    expect(problemsOfJson('"log": { "task": "web", "lins": [] }', "part of its data").join()).toContain(
      "lins",
    );
    expect(problemsOfJson('{ "code": 7, "message": "" }', "problem").join()).toContain("/code");
  });
});

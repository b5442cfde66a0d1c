import { afterAll, beforeAll, expect, it } from "vitest";
import { programMissing } from "../support/deploy-files.ts";
import { accountOf, isShell, NEWCOMER } from "../support/pages/accounts.ts";
import { PageBed } from "../support/pages/page-bed.ts";
import { blocksOf, readPages, type Block } from "../support/pages/pages.ts";
import { typed, type Typed } from "../support/pages/typed.ts";
import { redisMissing } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";

/** Lines that nobody types here, each for a reason. */
const NOT_HERE = [
  /^npx wscat/, // fetched from a registry at that moment; page-blocks.test.ts reads its addresses as the server does
  /^docker /, // needs Docker
  /^scripts\/demo/, // bare-clone.test.ts
  /your-program/, // nomad-events-clients.test.ts has some
];
/** Never ends by itself; by then it has said enough. */
const ENDLESS: readonly (readonly [RegExp, RegExp])[] = [
  [/curl -NG? |(start --|changefeed) tail\b/, /^\{.*\}$|^\d{4}-\d\d-\d\dT\S+Z [A-Z]+ /m],
  [/\| jq /, /^\{.*\}\n/],
  [/ simulate /, /listens on http/],
  [/(start --|changefeed) run\b/, /serving the feed at http/],
];
/** What a reader sees, where that it is done and says something would not do. */
const SAYS: readonly (readonly [RegExp, RegExp])[] = [
  [/filter=op = update/, /"code":"INVALID_FILTER".*position 4/],
  [/\/v1\/counts/, /"total":[1-9]/],
  [/\/v1\/why/, /"asOf":/],
  [/\/v1\/(events|state|history)/, /"specversion":"1\.0"/],
  [/ doctor/, /^✓ /m],
  [/ pause /, /^ops-webhook is paused: maintenance until 10:00\n$/],
  [/ resume /, /^ops-webhook is delivering\n$/],
  [/dead-letters retry/, /^[1-9]\d* retried\n$/],
  [/dead-letters drop/, /^1 dropped\n$/],
  [/deliveries test/, /Z {2}ok {2}200/],
  [/ routes test/, /→|^no alert/m],
  [/ wait deployment/, /reached: /],
  [/ reload/, /^applied /],
  [/audit prune/, /^removed 0 entries/],
  [/whsec_/, /^whsec_[\w+/]{43}=\n$/],
  [/whpk_/, /^whpk_[\w+/]{43}=\n$/],
];
/** Done without a word. */
const SILENT = /^export |genpkey|^kill |^sqlite3|--signal node\.down/;
/** 1: something fires, no route takes an alert, or a list is not watched yet. */
const TELLS_BY_CODE = / alerts( |$)| routes test| assignments/;
/** Ends otherwise where what it names is stopped or purged before it was typed. */
const NAMES_WHAT_GOES = / wait deployment/;

const NEEDS = [
  [/redis:| run …/, redisMissing()],
  [/^sqlite3/m, programMissing("sqlite3", "Debian: apt-get install sqlite3")],
  [/\| jq/, programMissing("jq", "Debian: apt-get install jq")],
] as const;

let bed: PageBed;
beforeAll(async () => {
  bed = await PageBed.open();
});
afterAll(() => bed?.[Symbol.asyncDispose]());

const seen = new Set<string>();
/** The lines of a block that no block before it had, without what people are told beside them. */
function linesOf({ text }: Block): string[] {
  return text
    .trim()
    .split("\n")
    .map((line) => line.replace(/ +# .*/, ""))
    .filter((line) => !NOT_HERE.some((pattern) => pattern.test(line)))
    .filter((line) => !seen.has(line) && seen.add(line));
}

const blocks = readPages()
  .flatMap(blocksOf)
  .filter((block) => isShell(block) && accountOf(block)?.test === NEWCOMER)
  .map((block) => ({ place: `${block.page}:${block.line}`, lines: linesOf(block) }))
  .filter(({ lines }) => lines.length > 0);

it("the pages have commands", () => {
  expect(seen.size).toBeGreaterThan(60);
});

for (const { place, lines } of blocks) {
  const missing = NEEDS.find(([what, why]) => why !== undefined && what.test(lines.join("\n")))?.[1];
  it.skipIf(missing !== undefined)(
    `what ${place} has typed does what it says${skippedBecause(missing)}`,
    { concurrent: true },
    async () => {
      let before = "";
      for (const line of lines) {
        const here = await bed.here(line);
        using _ = NAMES_WHAT_GOES.test(line) ? bed.standStill() : undefined;
        const enough = ENDLESS.find(([pattern]) => pattern.test(here))?.[1];
        const said = await typed(`${before}${here}`, bed.place(here), { enough });
        expect({ here, problems: problemsOf(here, said) }).toEqual({ here, problems: [] });
        if (line.startsWith("export ")) before += `${here}\n`;
      }
    },
  );
}

function problemsOf(line: string, { stdout, stderr, code }: Typed): string[] {
  const wanted = SAYS.find(([pattern]) => pattern.test(line))?.[1] ?? (SILENT.test(line) ? /^/ : /./);
  const isDone = code === undefined || code === 0 || (code === 1 && TELLS_BY_CODE.test(line));
  return [
    ...(isDone ? [] : [`ended with ${code}: ${stdout}`]),
    ...(wanted.test(code === undefined ? stdout + stderr : stdout)
      ? []
      : [`does not say ${wanted}: ${stdout}`]),
    ...(/^error:/m.test(stderr) || !isDone ? [stderr] : []),
  ].map((text) => text.slice(0, 2000));
}

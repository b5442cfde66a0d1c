import { parseArgs } from "node:util";

import { runRow, type BenchResult, type BenchRow } from "./harness.ts";

const USAGE = `npm run bench -- [--only <beginning of a row's name>]... [--list] [--json] [--check]

  --only   run the rows whose names begin like this; may be given more than once
  --list   name the rows and their goals, run nothing
  --json   print {"rows":[{"name","value","unit","goal","against","againstValue","met"}]} and nothing else
  --check  exit with 1 where a goal was missed
`;

/** One file per part of the product, each with its rows as the default export. */
const FILES: readonly (() => Promise<{ readonly default: readonly BenchRow[] }>)[] = [
  () => import("./snapshots.ts"),
  () => import("./sqlite.ts"),
];

async function main(): Promise<number> {
  const { values: flags } = parseArgs({
    options: {
      only: { type: "string", multiple: true },
      list: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      check: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (flags.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const rows = select(await allRows(), flags.only);
  if (flags.list) {
    for (const { name, goal, unit } of rows) process.stdout.write(`${name.padEnd(28)} ${goal}  (${unit})\n`);
    return 0;
  }
  const results: BenchResult[] = [];
  if (!flags.json) process.stdout.write(tableLine("row", "value", "goal", "met", "unit"));
  for (const row of rows) {
    const result = await runRow(row);
    results.push(result);
    if (!flags.json) process.stdout.write(resultLines(result));
  }
  if (flags.json) process.stdout.write(`${JSON.stringify({ rows: results })}\n`);
  return flags.check && results.some(({ met }) => !met) ? 1 : 0;
}

async function allRows(): Promise<BenchRow[]> {
  const files = await Promise.all(FILES.map((load) => load()));
  return files.flatMap((file) => file.default);
}

function select(rows: readonly BenchRow[], beginnings: readonly string[] | undefined): BenchRow[] {
  const chosen = rows.filter(
    ({ name }) => beginnings?.some((beginning) => name.startsWith(beginning)) ?? true,
  );
  if (chosen.length > 0) return chosen;
  throw new Error(
    `No row begins with ${beginnings?.join(" or ")}. There are: ${rows.map(({ name }) => name).join(", ")}`,
  );
}

function resultLines({ name, value, goal, met, unit, against, againstValue }: BenchResult): string {
  const measured = againstValue === undefined ? "" : `: ${number(againstValue)}`;
  return `${tableLine(name, number(value), goal, met ? "yes" : "NO", unit)}${" ".repeat(40)}against ${against}${measured}\n`;
}

function tableLine(name: string, value: string, goal: string, met: string, unit: string): string {
  return `${name.padEnd(28)} ${value.padStart(10)}  ${goal.padEnd(28)} ${met.padEnd(4)} ${unit}\n`;
}

function number(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3);
}

process.exitCode = await main();

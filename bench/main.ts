import { parseArgs } from "node:util";

import { runRow, type BenchResult, type BenchRow } from "./harness.ts";

const USAGE = `npm run bench -- [--only <beginning of a row's name>]... [--list] [--json] [--check]

  --only   run the rows whose names begin like this; may be given more than once
  --list   name the rows and their goals, run nothing
  --json   print {"rows":[{"name","value","unit","goal","against","againstValue","met"}]} and nothing else
  --check  exit with 1 where a goal was missed; a row that could not be measured is 2, always
`;

/** One file per part of the product, each with its rows as the default export. */
const FILES: readonly (() => Promise<{ readonly default: readonly BenchRow[] }>)[] = [
  () => import("./snapshots.ts"),
  () => import("./sqlite.ts"),
  () => import("./path.ts"),
  () => import("./hinted.ts"),
  () => import("./redis.ts"),
  () => import("./workers.ts"),
  () => import("./filters.ts"),
  () => import("./fanout.ts"),
  () => import("./alerts.ts"),
  () => import("./hostile-auth.ts"),
  () => import("./hostile-filters.ts"),
  () => import("./hostile-pings.ts"),
  () => import("./audit.ts"),
  () => import("./deliveries.ts"),
  () => import("./audit-verify.ts"),
  () => import("./reads.ts"),
  () => import("./state-at.ts"),
  () => import("./counts.ts"),
  () => import("./console.ts"),
  () => import("./console-table.ts"),
  () => import("./compat.ts"),
  () => import("./feeds.ts"),
  () => import("./enrich.ts"),
  () => import("./telemetry.ts"),
  () => import("./hostile-reads.ts"),
  () => import("./hostile-cuts.ts"),
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
  if (rows.length === 0) {
    process.stderr.write("No row begins like that; --list names them all\n");
    return 2;
  }
  const results: BenchResult[] = [];
  if (!flags.json) process.stdout.write(tableLine("row", "value", "goal", "met", "unit"));
  for (const row of rows) {
    const result = await attempt(row);
    if (result === undefined) continue;
    results.push(result);
    if (!flags.json) process.stdout.write(resultLines(result));
  }
  if (flags.json) process.stdout.write(`${JSON.stringify({ rows: results })}\n`);
  if (results.length < rows.length) return 2;
  return flags.check && results.some(({ met }) => !met) ? 1 : 0;
}

/** Undefined where the row could not be measured: the others still can. */
async function attempt(row: BenchRow): Promise<BenchResult | undefined> {
  try {
    return await runRow(row);
  } catch (error) {
    process.stderr.write(`${row.name} failed: ${error instanceof Error ? error.stack : String(error)}\n`);
    return undefined;
  }
}

async function allRows(): Promise<BenchRow[]> {
  const files = await Promise.all(FILES.map((load) => load()));
  return files.flatMap((file) => file.default);
}

function select(rows: readonly BenchRow[], beginnings: readonly string[] | undefined): BenchRow[] {
  return rows.filter(({ name }) => beginnings?.some((beginning) => name.startsWith(beginning)) ?? true);
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

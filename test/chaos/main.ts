/**
 * `npm run chaos -- --seconds 300 --seed 1`, or with several processes `-- --feed redis --workers 3`: prints one JSON
 * line last, and exits 1 unless nothing was lost, duplicated or out of order. What is not done in time ends it too,
 * with the name of what it waited for. However it ends, what it started ends with it.
 *
 * With `-- --latency --allocations 20000 --seconds 15` nothing is harmed: it tells how long updates take to get into
 * the log, read by hints and in lists, and exits 1 unless hints keep all below 100 ms, and lists do not.
 *
 * With `-- --deliveries --seconds 120 --seed 1` workers deliver to webhooks that fail in every way, while they and Redis
 * are killed: it exits 1 unless every event arrived or is a dead letter, in order, and dead letters are the poisoned ones.
 *
 * With `-- --alerts --seconds 60 --seed 1`, or `-- --alerts --feed redis --workers 3`, whoever makes alerts is killed: it
 * exits 1 unless at every quiet moment exactly what is true fires, has been told, and is the same alert as before.
 *
 * With `-- --feeds 3 --seconds 120 --seed 1` one process has several feeds, the last two of regions of one Nomad; it and
 * the Nomads are killed. It exits 1 unless each log has what its cluster has, and subscribers of each feed and of all of
 * them at once, which go on at their cursors, got all of it once and in order.
 */
import { parseArgs } from "node:util";
import { median } from "../../bench/harness.ts";
import { runAlertChaos } from "../support/alert-chaos.ts";
import { measureLatency } from "../support/chaos-latency.ts";
import { chaosTakesSeconds, runChaos } from "../support/chaos.ts";
import { runFeedsChaos, type FeedVerdict } from "../support/feeds-chaos.ts";
import { runDeliveriesChaos } from "../support/chaos-deliveries.ts";
import { runningProcesses } from "../support/own-processes.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    feed: { type: "string", default: "sqlite" },
    workers: { type: "string", default: "3" },
    reading: { type: "string", default: "auto" },
    allocations: { type: "string", default: "300" },
    "changes-per-second": { type: "string", default: "60" },
    "give-up-after": { type: "string" },
    feeds: { type: "string" },
    latency: { type: "boolean", default: false },
    deliveries: { type: "boolean", default: false },
    alerts: { type: "boolean", default: false },
    quiet: { type: "boolean", default: false },
  },
});

function wholeNumber(name: keyof typeof values): number {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new RangeError(`--${name} is "${values[name]}"; allowed is a whole number above 0`);
}

/** Hints matter if no update takes longer with them, and some do without. */
const HINTS_KEEP_BELOW_MS = 100;

async function compareLatencies(): Promise<number> {
  const options = {
    seed: wholeNumber("seed"),
    seconds: wholeNumber("seconds"),
    allocations: wholeNumber("allocations"),
  };
  const hinted = await measureLatency({ ...options, reading: "hinted" });
  const lists = await measureLatency({ ...options, reading: "lists" });
  process.stdout.write(`${JSON.stringify({ allocations: options.allocations, hinted, lists })}\n`);
  return hinted.longestGapMs < HINTS_KEEP_BELOW_MS && lists.longestGapMs >= HINTS_KEEP_BELOW_MS ? 0 : 1;
}

const say = (line: string): boolean => values.quiet || process.stderr.write(`${line}\n`);

async function chaosOfDeliveries(): Promise<number> {
  const { verdicts, ...report } = await runDeliveriesChaos({
    seed: wholeNumber("seed"),
    seconds: wholeNumber("seconds"),
    workers: wholeNumber("workers"),
    changesPerSecond: wholeNumber("changes-per-second"),
    say,
  });
  const all = [...verdicts];
  for (const [name, { lost, outOfOrder, wronglyParked, strangers }] of all) {
    for (const [what, ids] of Object.entries({ lost, outOfOrder, wronglyParked, strangers }))
      for (const id of ids.slice(0, 20)) say(`${name}: ${what}: ${id}`);
  }
  const sum = (count: (verdict: (typeof all)[number][1]) => number): number =>
    all.reduce((total, [, verdict]) => total + count(verdict), 0);
  const counts = {
    ...report,
    delivered: sum(({ delivered }) => delivered),
    lost: sum(({ lost }) => lost.length),
    outOfOrder: sum(({ outOfOrder }) => outOfOrder.length),
    strangers: sum(({ strangers }) => strangers.length),
    parked: sum(({ parked }) => parked),
    poisoned: sum(({ poisoned }) => poisoned),
    wronglyParked: sum(({ wronglyParked }) => wronglyParked.length),
  };
  process.stdout.write(`${JSON.stringify(counts)}\n`);
  return counts.lost + counts.outOfOrder + counts.wronglyParked === 0 ? 0 : 1;
}

if (values.deliveries) {
  process.exitCode = await chaosOfDeliveries();
  process.exit();
}

if (values.feed !== "sqlite" && values.feed !== "redis") {
  throw new RangeError(`--feed is "${values.feed}"; allowed: sqlite, redis`);
}

async function chaosOfAlerts(): Promise<number> {
  const { missing, invented, wrong, ...report } = await runAlertChaos({
    seed: wholeNumber("seed"),
    seconds: wholeNumber("seconds"),
    quietMoments: 1,
    workers: values.feed === "redis" ? wholeNumber("workers") : 1,
    say,
  });
  const counts = { ...report, wrong: wrong.length, missing: missing.length, invented: invented.length };
  process.stdout.write(`${JSON.stringify(counts)}\n`);
  return counts.wrong + counts.missing + counts.invented === 0 ? 0 : 1;
}

if (values.alerts) {
  process.exitCode = await chaosOfAlerts();
  process.exit();
}

const { reading } = values;
if (reading !== "auto" && reading !== "lists" && reading !== "hinted") {
  throw new RangeError(`--reading is "${reading}"; allowed: auto, lists, hinted`);
}

if (values.latency) {
  process.exitCode = await compareLatencies();
  process.exit();
}

const seconds = wholeNumber("seconds");
const giveUpAfterSeconds =
  values["give-up-after"] === undefined ? chaosTakesSeconds(seconds) : wholeNumber("give-up-after");

/** Whoever gives up has this much time to clean up after itself. */
const CLEAN_UP_SECONDS = 30;
setTimeout(
  () => {
    const left = runningProcesses().join(", ") || process.getActiveResourcesInfo().join(", ");
    process.stderr.write(
      `did not end after ${giveUpAfterSeconds + CLEAN_UP_SECONDS} s; what is left: ${left}\n`,
    );
    process.exit(1);
  },
  (giveUpAfterSeconds + CLEAN_UP_SECONDS) * 1000,
).unref();

function giveUp(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

async function chaosOfFeeds(logs: "sqlite" | "redis"): Promise<number> {
  const { feeds, merged, ...report } = await runFeedsChaos({
    seed: wholeNumber("seed"),
    seconds,
    feeds: wholeNumber("feeds"),
    logs,
    allocations: wholeNumber("allocations"),
    changesPerSecond: wholeNumber("changes-per-second"),
    giveUpAfterSeconds,
    say,
  }).catch(giveUp);
  const verdicts = new Map([...feeds, ["all feeds", merged] as const]);
  for (const [name, { lost, duplicated, outOfOrder }] of verdicts) {
    for (const line of [...lost, ...duplicated, ...outOfOrder].slice(0, 20))
      process.stderr.write(`${name}: ${line}\n`);
  }
  const countsOf = ({ events, lost, duplicated, outOfOrder }: FeedVerdict) => ({
    events,
    lost: lost.length,
    duplicated: duplicated.length,
    outOfOrder: outOfOrder.length,
  });
  const counts = Object.fromEntries([...feeds].map(([name, verdict]) => [name, countsOf(verdict)]));
  process.stdout.write(`${JSON.stringify({ ...report, feeds: counts, merged: countsOf(merged) })}\n`);
  const wrong = [...verdicts.values()].map(countsOf);
  return wrong.every(({ lost, duplicated, outOfOrder }) => lost + duplicated + outOfOrder === 0) ? 0 : 1;
}

if (values.feeds !== undefined) {
  process.exitCode = await chaosOfFeeds(values.feed);
  process.exit();
}

const { changes, restarts, faults, verdict, account, longestGapMs, takeoversMs } = await runChaos({
  ...(values.feed === "redis" ? { workers: wholeNumber("workers") } : {}),
  seed: wholeNumber("seed"),
  seconds,
  reading,
  giveUpAfterSeconds,
  allocations: wholeNumber("allocations"),
  changesPerSecond: wholeNumber("changes-per-second"),
  say,
}).catch(giveUp);
for (const line of [...verdict.lost, ...verdict.duplicated, ...verdict.outOfOrder].slice(0, 50)) {
  process.stderr.write(`${line}\n`);
}
for (const line of account) process.stderr.write(`${line}\n`);
const counts = {
  changes,
  events: verdict.events,
  lost: verdict.lost.length,
  duplicated: verdict.duplicated.length,
  outOfOrder: verdict.outOfOrder.length,
  restarts,
  faults,
  longestGapMs,
  ...(takeoversMs.length > 0
    ? {
        takeoverMs: { median: median(takeoversMs), max: Math.max(...takeoversMs) },
        takeovers: takeoversMs.length,
      }
    : {}),
};
process.stdout.write(`${JSON.stringify(counts)}\n`);
process.exitCode = counts.lost + counts.duplicated + counts.outOfOrder === 0 ? 0 : 1;

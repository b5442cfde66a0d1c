import { setTimeout as sleep } from "node:timers/promises";
import { TestFeed } from "../test/support/http-feed.ts";
import { Attacker, grownSince, held } from "./attacker.ts";
import { once, type BenchRow } from "./harness.ts";
import { longestStallMs } from "./stalls.ts";

const KIB = 1024;
const MIB = 1024 * 1024;
const PAGES = 500;
/** How long what was asked for may take to be written as far as it can be. */
const SETTLE_MS = 3000;

const unreadPages = once(measurePages);

const rows: readonly BenchRow[] = [
  {
    name: "hostile-unread",
    unit: `KiB that the process holds for each of ${PAGES} connections that ask for pages of 1 MiB and read nothing`,
    goal: "at most 64",
    against: "nothing",
    run: async () => (await unreadPages()).kibEach,
  },
  {
    name: "hostile-unread-memory",
    // Unread pages hold 16 MiB together, and one event each beyond that: all the rest was let go of. When V8 collects it,
    // and malloc gives it back, depends on how busy the machine is.
    unit: `MiB of objects, strings and buffers that the process holds for all ${PAGES} of them together`,
    goal: "at most 64",
    against: "what its resident memory grew by, with what is not yet collected",
    run: async () => {
      const { countedMib, residentMib } = await unreadPages();
      return { value: countedMib, against: residentMib };
    },
  },
  {
    name: "hostile-unread-stall",
    unit: "ms that the event loop stood still at most meanwhile",
    goal: "at most 50",
    against: "the same without them",
    run: async () => {
      const { stallMs, calmStallMs } = await unreadPages();
      return { value: stallMs, against: calmStallMs };
    },
  },
];

export default rows;

async function measurePages() {
  await using feed = await TestFeed.open();
  await feed.commitMany("a", 500, 10_000);
  const { url } = await feed.serve();
  const path = "/v1/events?limit=1000";
  for (let warmUp = 0; warmUp < 20; warmUp += 1) await (await fetch(`${url}${path}`)).text();
  const calmStallMs = await longestStallMs(() => sleep(SETTLE_MS));
  await using attacker = new Attacker(url);
  await attacker.ask("/healthz");
  const residentBefore = process.memoryUsage().rss;
  const before = held();
  const stallMs = await longestStallMs(async () => {
    for (let page = 0; page < PAGES; page += 1) await attacker.ask(path);
    await sleep(SETTLE_MS);
  });
  const uncollected = process.memoryUsage().rss - residentBefore;
  const { resident, counted } = grownSince(before);
  return {
    kibEach: Math.max(resident, counted) / PAGES / KIB,
    countedMib: counted / MIB,
    residentMib: uncollected / MIB,
    stallMs,
    calmStallMs,
  };
}

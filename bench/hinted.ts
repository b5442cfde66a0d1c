import { measureRun, type Run } from "./hinted-runs.ts";
import { median, once, p99, type BenchRow } from "./harness.ts";

const ALLOCATIONS = 50_000;
const CHANGES = 400;
/** In whole lists each takes seconds. */
const CHANGES_IN_LISTS = 10;

const hinted = once(() =>
  measureRun({ allocations: ALLOCATIONS, reading: "hinted", changes: CHANGES, perSecond: 10 }),
);
const lists = once(() =>
  measureRun({ allocations: ALLOCATIONS, reading: "lists", changes: CHANGES_IN_LISTS }),
);

const WHERE = `${ALLOCATIONS.toLocaleString("en-US")} allocations, 10 of them changed a second`;
const AGAINST_STREAM = "the same change at a bare reader of Nomad's event stream";

const rows: readonly BenchRow[] = [
  {
    name: "hinted-bytes-per-change",
    unit: `bytes from Nomad for each change; ${WHERE}. The list of every five minutes adds 1/3000 of a list to each`,
    goal: "at most 0.001 × the list",
    against: "the list of all allocations",
    run: async () => {
      const run = await hinted();
      return { value: run.bytes / CHANGES, against: run.listBytes };
    },
  },
  {
    name: "hinted-poll-to-frame-median",
    unit: `ms from a write in Nomad to the WebSocket frame, median; ${WHERE}`,
    goal: "at most 2 × a bare reader",
    against: AGAINST_STREAM,
    run: async () => sides(await hinted(), median),
  },
  {
    name: "hinted-poll-to-frame-p99",
    unit: `ms from a write in Nomad to the WebSocket frame, 99th percentile; ${WHERE}`,
    goal: "at most 2 × a bare reader",
    against: AGAINST_STREAM,
    run: async () => sides(await hinted(), p99),
  },
  {
    name: "hinted-cpu-per-change",
    unit: `ms of CPU of the bridge for each change; ${WHERE}`,
    goal: "at most 0.05 × reading lists",
    against: "the same with --reading lists, one change at a time: what is in one list is paid for once",
    run: async () => ({
      value: (await hinted()).cpuMs / CHANGES,
      against: (await lists()).cpuMs / CHANGES_IN_LISTS,
    }),
  },
];
export default rows;

function sides({ frameMs, streamMs }: Run, take: (values: readonly number[]) => number) {
  return { value: take(frameMs), against: take(streamMs) };
}

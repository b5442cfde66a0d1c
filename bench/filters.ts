import { createEventFilter, type EventFilter } from "../src/publishers/selection/event-filter.ts";
import { compileFilter } from "../src/publishers/selection/filter-expression.ts";
import type { TestedEvent } from "../src/schemas/subscription-schema.ts";
import { entryOf } from "../test/support/drafts.ts";
import { median, type BenchRow } from "./harness.ts";

const EVENTS = 2000;
const ROUNDS = 15;
/** Subscribers that each ask the object of the same events, which are parsed once for all of them. */
const SUBSCRIBERS = 100;

const BY_FACTS = 'resource.type == "allocations" and op == "update" and "allocation.failed" in signals';
const PARAMETERS = {
  types: ["allocations"],
  ops: ["update"],
  signals: ["allocation.failed"],
} as const;
const BY_OBJECT = 'ClientStatus == "failed" and "/ClientStatus" in changes and JobID matches `^web-[0-9]+$`';

const rows: readonly BenchRow[] = [
  {
    name: "filtered-out",
    unit: "ns per event that a subscriber's filter passes over, by its facts",
    goal: "at most 1000",
    against: "the same condition as parameters (types, ops, signals)",
    run: async () => ({
      value: nsPerEvent(() => filterOf(BY_FACTS), SUBSCRIBERS),
      against: nsPerEvent(() => createEventFilter(PARAMETERS), SUBSCRIBERS),
    }),
  },
  {
    name: "filtered-out-by-object",
    unit: `ns per event of 2.5 KB and subscriber, by the object, ${SUBSCRIBERS} subscribers`,
    goal: "at most 2000",
    against: "a subscriber alone, who bears the parsing",
    run: async () => ({
      value: nsPerEvent(() => filterOf(BY_OBJECT), SUBSCRIBERS),
      against: nsPerEvent(() => filterOf(BY_OBJECT), 1),
    }),
  },
];

export default rows;

function filterOf(expression: string): EventFilter {
  return createEventFilter({ filters: [compileFilter(expression, ["allocation.failed"])] });
}

function nsPerEvent(makeFilter: () => EventFilter, subscribers: number): number {
  const filters = Array.from({ length: subscribers }, makeFilter);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // Others each time: what was parsed of an event is kept with it.
    const events = makeEvents();
    const begin = performance.now();
    let passed = 0;
    for (const event of events) for (const filter of filters) passed += Number(filter(event));
    times.push(((performance.now() - begin) * 1e6) / (events.length * filters.length));
    if (passed > 0) throw new Error(`${passed} events passed`);
  }
  return median(times);
}

function makeEvents(): TestedEvent[] {
  return Array.from({ length: EVENTS }, (_, position) => {
    const after = {
      ID: `5456bd7a-9fc0-c0dd-6131-${String(position).padStart(12, "0")}`,
      JobID: `web-${position % 100}`,
      ClientStatus: "running",
      TaskStates: { main: { State: "running", Events: Array.from({ length: 10 }, taskEvent) } },
      CreateIndex: position,
    };
    const changes = [{ path: "/TaskStates/main/Events/9", to: taskEvent(0, 9) }];
    return entryOf({
      sequence: position + 1,
      json: JSON.stringify({ specversion: "1.0", data: { op: "update", changes, after } }).replaceAll(
        '"Time":0',
        '"Time":1795434687866379238',
      ),
    });
  });
}

function taskEvent(_value: unknown, position: number) {
  const message = `Task started by client, attempt ${position}, on a node whose name is not short`;
  return { Type: "Started", Time: 0, Message: message, DisplayMessage: message, Details: { exit_code: "0" } };
}

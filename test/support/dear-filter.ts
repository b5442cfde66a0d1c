import { StepLimitReached } from "../../src/filters/evaluation.ts";
import type { EventFilter } from "../../src/publishers/selection/event-filter.ts";

/**
 * A filter that costs so many steps, parses so many characters, and takes so long, for each event: really, or by
 * `pass`.
 */
export function dearFilter(
  passes: EventFilter,
  {
    steps,
    parsed = 0,
    ms = 0,
    pass = keepBusy,
  }: { steps: number; parsed?: number; ms?: number; pass?: (ms: number) => void },
): EventFilter {
  return (event, cost) => {
    if (cost !== undefined) {
      if (cost.steps + steps > (cost.limit ?? Number.POSITIVE_INFINITY)) throw new StepLimitReached();
      cost.steps += steps;
      cost.parsed += parsed;
    }
    pass(ms);
    return passes(event);
  };
}

function keepBusy(ms: number): void {
  const endsAt = performance.now() + ms;
  while (performance.now() < endsAt);
}

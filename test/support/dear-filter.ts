import { StepLimitReached } from "../../src/filters/evaluation.ts";
import type { EventFilter } from "../../src/publishers/selection/event-filter.ts";

/** A filter that costs so many steps, and so long, for each event. */
export function dearFilter(
  passes: EventFilter,
  { steps, ms = 0 }: { steps: number; ms?: number },
): EventFilter {
  return (event, cost) => {
    if (cost !== undefined) {
      if (cost.steps + steps > (cost.limit ?? Number.POSITIVE_INFINITY)) throw new StepLimitReached();
      cost.steps += steps;
    }
    const endsAt = performance.now() + ms;
    while (performance.now() < endsAt);
    return passes(event);
  };
}

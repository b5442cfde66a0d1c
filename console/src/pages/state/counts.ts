import { computed } from "@preact/signals";
import type { ResourceType } from "nomad-changefeed-client";
import { partsOf } from "../../words/names.ts";
import { assignments, isScope } from "../../feed/health.ts";

/** How many objects the feed has of each kind; a kind is absent where this reader is not told of all of its scopes. */
export const objectCounts = computed(() => {
  const counts = new Map<ResourceType, number>();
  for (const { assignment, objects } of assignments.value ?? []) {
    if (!isScope(assignment) || objects === null) continue;
    const type = partsOf(assignment).resource as ResourceType;
    counts.set(type, (counts.get(type) ?? 0) + objects);
  }
  return counts;
});

import { buildChangeEvents } from "../../../src/events/build.ts";
import type { EventDraft } from "../../../src/schemas/draft.ts";
import { changeOf, contextOf, SAMPLES } from "../event-fixtures.ts";

let made = 0;

/** Events as the feed has them, each of another allocation that began to run. */
export function allocationUpdates(count: number): EventDraft[] {
  return Array.from({ length: count }, () => {
    made += 1;
    const ID = `00000000-0000-4000-8000-${String(made).padStart(12, "0")}`;
    const name = `web.frontend[${made}]`;
    const before = { ...SAMPLES.allocations, ID, Name: name, ClientStatus: "pending", ModifyIndex: made };
    const after = { ...before, ClientStatus: "running", ModifyIndex: made + 1 };
    return buildChangeEvents(changeOf("allocations", before, after), contextOf());
  }).flat();
}

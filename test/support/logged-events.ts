import { buildChangeEvents } from "../../src/events/build.ts";
import type { Change } from "../../src/schemas/change.ts";
import { sealDraft, type LogEntry } from "../../src/schemas/draft.ts";
import { contextOf } from "./event-fixtures.ts";

/** The events of a change as the log gives them, seen at `atMs`; the first has number `sequence`. */
export function loggedEvents(change: Change, atMs: number, sequence: number): LogEntry[] {
  const context = contextOf({ observedAt: new Date(atMs).toISOString() });
  return buildChangeEvents(change, context).map((draft, position) => ({
    ...draft,
    sequence: sequence + position,
    json: sealDraft(draft, "k3f9x2", sequence + position),
  }));
}

import type { LogEntry } from "../../schemas/draft.ts";
import { numberOf, objectsIn, textOf } from "../../alerts/model/stub.ts";
import { objectOf, type Json, type JsonObject } from "../../schemas/json.ts";
import type { EventFact } from "./facts.ts";

/** An event, read; with `whole` where it is too large to hold its object. Digits beyond 2^53 are rounded. */
export async function eventFact(
  entry: LogEntry,
  epoch: string,
  whole: (sequence: number) => Promise<string | undefined>,
): Promise<EventFact> {
  const event = JSON.parse(entry.json) as JsonObject;
  const text = "dataref" in event ? await whole(entry.sequence) : undefined;
  const data = objectOf(text === undefined ? event["data"] : (JSON.parse(text) as Json));
  return {
    cursor: `${epoch}-${entry.sequence}`,
    sequence: entry.sequence,
    time: entry.time,
    op: entry.op ?? "update",
    signals: entry.signals,
    severity: entry.severity,
    stub: objectOf(data["after"] ?? data["before"]),
    ...(entry.op === "version" && { version: numberOf(data, "version") }),
    changes: objectsIn(data["changes"]).map((change) => ({
      path: textOf(change, "path"),
      from: change["from"],
      to: change["to"],
    })),
  };
}

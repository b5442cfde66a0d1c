import type { StateEntry } from "../feed/log.ts";
import type { LogEntry } from "../schemas/draft.ts";
import { isJsonObject, objectOf, type JsonObject } from "../schemas/json.ts";
import { undoChanges } from "../schemas/json-changes.ts";
import { memberTexts } from "../schemas/json-members.ts";
import { revOf, type ObjectRef } from "../schemas/resources.ts";
import { parseExactFast } from "../snapshots/exact-json.ts";

/**
 * The object as it was right before an event; undefined where the feed did not know it then. `whole` gets the `data` of
 * an event that was too large to hold it. The stub says what it said, with every digit; its members may stand in
 * another order.
 * @throws RangeError where the event's changes are not all there or do not belong to it
 */
export async function beforeEvent(
  ref: ObjectRef,
  entry: LogEntry,
  whole: (sequence: number) => Promise<string | undefined>,
): Promise<StateEntry | undefined> {
  if (entry.op === "create" || entry.op === "snapshot") return undefined;
  const stub = stubBefore(entry, await dataOf(entry, whole));
  return { ref, rev: revOf(stub) ?? "", stub: Buffer.from(JSON.stringify(stub)) };
}

function stubBefore(entry: LogEntry, data: JsonObject): JsonObject {
  const { before, after, changes } = data;
  const stub = entry.op === "delete" ? before : undone(after, changes);
  if (isJsonObject(stub)) return stub;
  throw new RangeError(`The event ${entry.id} does not tell what was before it`);
}

function undone(after: JsonObject[string] | undefined, changes: JsonObject[string] | undefined) {
  if (!isJsonObject(after) || !Array.isArray(changes) || !changes.every(isChange)) return undefined;
  return undoChanges(after, changes);
}

function isChange(value: JsonObject[string]): value is JsonObject & { readonly path: string } {
  return isJsonObject(value) && typeof value["path"] === "string";
}

async function dataOf(
  entry: LogEntry,
  whole: (sequence: number) => Promise<string | undefined>,
): Promise<JsonObject> {
  const members = memberTexts(entry.json);
  const text = members.has("dataref") ? await whole(entry.sequence) : members.get("data");
  return objectOf(text === undefined ? undefined : parseExactFast(text));
}

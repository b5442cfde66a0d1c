import { equalJson, isJsonObject, type Json, type JsonObject } from "../schemas/json.ts";
import { pointerTo } from "../shared/json-pointer.ts";

/**
 * One difference between two JSON values. `path` is a JSON Pointer (RFC 6901). Without `from` the member
 * appeared, without `to` it vanished, with both it was replaced.
 *
 * A list of changes is a script: done in order it turns before into after, undone in reverse order it turns
 * after into before. An index in a path therefore counts in the array as it is at that step, and a change that
 * appears or vanishes at an index moves the elements behind it, as JSON Patch (RFC 6902) has it.
 */
export interface JsonChange {
  readonly path: string;
  readonly from?: Json;
  readonly to?: Json;
}

/** The changes that turn `before` into `after`; empty where they are equal. */
export function diffJson(before: Json, after: Json): JsonChange[] {
  const changes: JsonChange[] = [];
  diffAt("", before, after, changes);
  return changes;
}

function diffAt(path: string, before: Json, after: Json, changes: JsonChange[]): void {
  if (isJsonObject(before) && isJsonObject(after)) diffObjects(path, before, after, changes);
  else if (Array.isArray(before) && Array.isArray(after)) diffArrays(path, before, after, changes);
  else if (!equalJson(before, after)) changes.push({ path, from: before, to: after });
}

function diffObjects(path: string, before: JsonObject, after: JsonObject, changes: JsonChange[]): void {
  for (const [name, from] of Object.entries(before)) {
    const to = Object.hasOwn(after, name) ? after[name] : undefined;
    if (from === to) continue;
    const memberPath = pointerTo(path, name);
    if (to === undefined) changes.push({ path: memberPath, from });
    else diffAt(memberPath, from, to, changes);
  }
  for (const [name, to] of Object.entries(after)) {
    if (!Object.hasOwn(before, name)) changes.push({ path: pointerTo(path, name), to });
  }
}

/**
 * By element, for the three things arrays in Nomad do: grow at the end, lose the oldest while they grow (the
 * ring of task events), and change somewhere in the middle.
 */
function diffArrays(path: string, before: Json[], after: Json[], changes: JsonChange[]): void {
  const dropped = droppedFromFront(before, after);
  if (dropped > 0) {
    removeRange(path, before, 0, dropped, changes);
    insertRange(path, after, before.length - dropped, after.length, changes);
    return;
  }
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && equalJson(before[start] as Json, after[start] as Json)) start += 1;
  let kept = 0;
  while (kept < shorter - start && equalJson(before.at(-1 - kept) as Json, after.at(-1 - kept) as Json))
    kept += 1;
  if (before.length === after.length) {
    for (let index = start; index < after.length - kept; index += 1) {
      diffAt(`${path}/${index}`, before[index] as Json, after[index] as Json, changes);
    }
    return;
  }
  removeRange(path, before, start, before.length - kept, changes);
  insertRange(path, after, start, after.length - kept, changes);
}

/** How many elements left at the front where all others stayed, in order, at the front of `after`; else 0. */
function droppedFromFront(before: Json[], after: Json[]): number {
  if (before.length === 0 || after.length === 0 || equalJson(before[0] as Json, after[0] as Json)) return 0;
  for (let dropped = Math.max(1, before.length - after.length); dropped < before.length; dropped += 1) {
    const rest = before.length - dropped;
    let same = 0;
    while (same < rest && equalJson(before[dropped + same] as Json, after[same] as Json)) same += 1;
    if (same === rest) return dropped;
  }
  return 0;
}

/** From the last to the first, so that each index is still true when its turn comes. */
function removeRange(path: string, before: Json[], start: number, end: number, changes: JsonChange[]): void {
  for (let index = end - 1; index >= start; index -= 1) {
    changes.push({ path: `${path}/${index}`, from: before[index] as Json });
  }
}

function insertRange(path: string, after: Json[], start: number, end: number, changes: JsonChange[]): void {
  for (let index = start; index < end; index += 1)
    changes.push({ path: `${path}/${index}`, to: after[index] as Json });
}

import { leafHash } from "../../tlog/hash.ts";
import { TILE_WIDTH, tilePath } from "../../tlog/tiles.ts";
import { contentOf, EntryOrder, type NextEvent } from "./entry-order.ts";
import type { Finding } from "./finding.ts";
import { hashAt, type StoredTree } from "./stored-tree.ts";
import type { Difference, Walked } from "./walk.ts";

/** Entries from a bundle on, as they stand in their files, and the hashes that the signed root vouches for. */
interface Window {
  readonly first: number;
  readonly entries: readonly Buffer[];
  readonly stored: readonly string[];
  readonly wanted: readonly string[];
}

/** Names the first entry that is not what the signed root vouches for. For a tree whose root is another. */
export async function diagnose(tree: StoredTree, walked: Walked): Promise<Finding> {
  const { torn, difference } = walked;
  if (difference?.tile.level === 0) return diagnoseBundle(tree, difference.tile.index, walked);
  if (difference !== undefined) return changedPruned(difference, walked) ?? changedTogether(difference);
  if (torn !== undefined) return diagnoseBundle(tree, torn.bundle, walked);
  const message =
    "the entries and tiles agree with each other, not with the signed root: all were written anew, or the checkpoint was";
  return { kind: "rewritten", message };
}

async function diagnoseBundle(tree: StoredTree, bundle: number, walked: Walked): Promise<Finding> {
  const window = await windowOf(tree, bundle);
  const { torn, difference } = walked;
  const path = torn?.bundle === bundle ? torn.path : (await tree.bundle(bundle)).path;
  if (window === undefined) {
    const index = difference?.from ?? bundle * TILE_WIDTH;
    const message = `entry ${index} was changed, or its hash was: ${path} and the tiles above it disagree, and the signed root vouches for neither`;
    return { kind: "changed", index, path, message: torn === undefined ? message : `${path} ${torn.damage}` };
  }
  const at = window.wanted.findIndex((hash, place) => hash !== window.stored[place]);
  if (at === -1) return { kind: "changed", path, message: `${path} ${torn?.damage ?? "was changed"}` };
  return { ...happenedAt(window, at), ...eventAt(window, at, walked), path };
}

function happenedAt(
  { first, stored, wanted }: Window,
  at: number,
): Pick<Finding, "kind" | "index" | "message"> {
  const index = first + at;
  const has = stored[at];
  const belongsAt = has === undefined ? -1 : wanted.indexOf(has);
  const standsAt = stored.indexOf(wanted[at] ?? "", at);
  const said = (kind: Finding["kind"], message: string) => ({ kind, index, message });
  if (has === undefined)
    return said("missing", `entry ${index} and what follows it in its bundle are missing`);
  if (belongsAt >= 0 && belongsAt < at)
    return said("duplicated", `entry ${index} is entry ${first + belongsAt} once more`);
  if (belongsAt > at && standsAt >= 0)
    return said(
      "reordered",
      `entry ${index} was moved to ${first + standsAt}; entry ${first + belongsAt} stands in its place`,
    );
  if (belongsAt > at)
    return said("missing", `entry ${index} is missing; entry ${first + belongsAt} stands in its place`);
  if (standsAt >= 0) return said("inserted", `entry ${index} was put in before the one that belongs there`);
  return said("changed", `entry ${index} was changed`);
}

/** The event that belongs there, and the object of what stands there. */
function eventAt(
  { entries }: Window,
  at: number,
  { nextAtBundle, order }: Walked,
): Pick<Finding, "sequence" | "object"> {
  const next = nextAfter(entries.slice(0, at), order.origin, nextAtBundle);
  const there = entries[at];
  const content = there === undefined ? undefined : contentOf(there);
  return {
    ...(next !== undefined && { sequence: next.sequence }),
    ...(content?.kind === "event" && content.subject !== undefined && { object: content.subject }),
  };
}

function nextAfter(entries: readonly Buffer[], origin: string, from: NextEvent): NextEvent {
  const order = new EntryOrder(origin, from);
  for (const entry of entries) order.take(entry);
  return order.next;
}

/** Of two bundles, so that what was moved over a bundle's end is seen. Undefined where no tile can be trusted. */
async function windowOf(tree: StoredTree, bundle: number): Promise<Window | undefined> {
  const tiles = [await tree.authenticTile(0, bundle), await tree.authenticTile(0, bundle + 1)];
  const [trusted, next] = tiles;
  if (trusted === undefined) return undefined;
  const hashes = next === undefined ? trusted : Buffer.concat([trusted, next]);
  const wanted = Array.from({ length: hashes.length / 32 }, (_, at) => hashAt(hashes, at).toString("hex"));
  const own = await tree.bundle(bundle);
  const following = next === undefined ? undefined : await tree.bundle(bundle + 1);
  const entries = [...own.entries, ...(following?.entries ?? [])];
  const stored = entries.map((entry) => leafHash(entry).toString("hex"));
  return { first: bundle * TILE_WIDTH, entries, stored, wanted };
}

/** Of a beginning that is gone: its hashes are all there is that can have been changed. */
function changedPruned(
  { tile, from, to, path, position }: Difference,
  { pruned }: Walked,
): Finding | undefined {
  if (to > pruned || tile.level !== 1 || position === undefined) return undefined;
  const hashes = tilePath({ level: 0, index: from / TILE_WIDTH, width: TILE_WIDTH });
  const message = `${hashes} was changed: ${path} does not vouch for it. Entries ${from} to ${to - 1} were pruned, and their hashes are all that is left of them`;
  return { kind: "tile", path: hashes, message };
}

function changedTogether({ from, to, path, position }: Difference): Finding {
  const message =
    position === undefined
      ? `${path} is not there, and entries ${from} to ${to - 1} are not what the signed root vouches for`
      : `entries ${from} to ${to - 1} are not what ${path} vouches for: one of them and the tiles below were changed together`;
  return { kind: "changed", index: from, path, message };
}

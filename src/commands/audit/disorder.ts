import { TILE_WIDTH } from "../../tlog/tiles.ts";
import { formatCursor, type Cursor } from "../../schemas/cursor.ts";
import { contentOf, type Disorder } from "./entry-order.ts";
import type { Finding } from "./finding.ts";
import type { StoredTree } from "./stored-tree.ts";

/** Names what is wrong with an entry that is not the one that follows. */
export async function disorderFinding(
  tree: StoredTree,
  index: number,
  { expected, found }: Disorder,
): Promise<Finding> {
  const malformed = (message: string): Finding => ({ kind: "malformed", index, message });
  if (found.kind === "unknown")
    return malformed(`entry ${index} is neither an event nor a mark of the trail`);
  if (expected === undefined) return malformed("entry 0 is not the beginning of this trail");
  const wanted = `event ${formatCursor(expected)}`;
  if (found.kind === "mark")
    return malformed(`entry ${index}, a ${found.mark.type}, does not follow: ${wanted} is next`);
  const object = found.subject === undefined ? {} : { object: found.subject };
  const where = { index, sequence: expected.sequence, ...object };
  const stands = `event ${formatCursor(found.place)} stands in its place`;
  if (found.place.epoch !== expected.epoch)
    return {
      kind: "malformed",
      ...where,
      message: `entry ${index} should be ${wanted}; ${stands}, of another epoch`,
    };
  if (found.place.sequence < expected.sequence)
    return {
      kind: "duplicated",
      ...where,
      message: `entry ${index} should be ${wanted}; ${stands}, once more`,
    };
  if (await comesLater(tree, index, expected))
    return {
      kind: "reordered",
      ...where,
      message: `entry ${index} should be ${wanted}, which comes later; ${stands}`,
    };
  return {
    kind: "missing",
    ...where,
    message: `${wanted} is missing: entry ${index} should be it; ${stands}`,
  };
}

/** In its bundle or the next. */
async function comesLater(tree: StoredTree, index: number, { epoch, sequence }: Cursor): Promise<boolean> {
  const bundle = Math.floor(index / TILE_WIDTH);
  const own = (await tree.bundle(bundle)).entries.slice((index % TILE_WIDTH) + 1);
  const next = bundle + 1 < tree.bundles ? (await tree.bundle(bundle + 1)).entries : [];
  return [...own, ...next]
    .map(contentOf)
    .some(
      (content) =>
        content.kind === "event" && content.place.epoch === epoch && content.place.sequence === sequence,
    );
}

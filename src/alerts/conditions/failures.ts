import type { VersionRecord } from "../model/job.ts";

/** Ways to fail that are told apart in words; what is beyond is counted together. */
const MAX_WAYS = 3;

/** Why allocations fail, in words: "3 × exit code 137, out of memory, all on node-7". */
export function failureDetails(versions: readonly VersionRecord[]): Record<string, string> {
  const nodes = summed(versions.map((version) => version.nodes));
  const [node] = nodes.size === 1 ? nodes.keys() : [];
  const newest = newestOf(versions);
  const why = waysToFail(summed(versions.map((version) => version.exitCodes)));
  return {
    why: node === undefined ? why : `${why}, all on ${node}`,
    ...(node !== undefined && { onNode: node }),
    ...(newest !== undefined && { example: newest.id }),
    ...(newest !== undefined && newest.lastEvents !== "" && { lastEvents: newest.lastEvents }),
  };
}

function waysToFail(ways: ReadonlyMap<string, number>): string {
  const sorted = [...ways].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const shown = sorted.slice(0, MAX_WAYS).map(([way, count]) => `${count} × ${way}`);
  const rest = sorted.slice(MAX_WAYS).reduce((sum, [, count]) => sum + count, 0);
  return rest === 0 ? shown.join(", ") : `${shown.join(", ")}, ${rest} × otherwise`;
}

/** The last that began to fail. */
function newestOf(versions: readonly VersionRecord[]) {
  return versions.map(({ failing }) => [...failing.values()].at(-1)).findLast((last) => last !== undefined);
}

function summed(all: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [name, count] of all.flatMap((counts) => [...counts])) {
    sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return sums;
}

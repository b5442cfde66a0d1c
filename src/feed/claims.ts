import { scopesOverlap, type Scope } from "../schemas/scope.ts";
import type { Checkpoint } from "./log.ts";

/** What a log keeps of a scope, as far as inheritance needs it. */
export interface ScopeRecord {
  readonly scope: Scope;
  readonly fence: number;
  readonly baselined: boolean;
  readonly checkpoint: Checkpoint | null;
  /** Fence under which the checkpoint was made: overlapping scopes are never polled at once, so it dates it. */
  readonly checkpointFence: number;
}

export interface Heritage {
  readonly baselined: boolean;
  readonly checkpoint: Checkpoint | null;
  /** Whether the checkpoint is another scope's, whose `count` is not ours. */
  readonly borrowed: boolean;
}

/**
 * What a claim of `scope` starts from, given every known scope of its resource, its own included.
 *
 * A namespace takes whichever is later of its own checkpoint and that of `*`. `*` is only as far as the one of
 * its parts that is furthest behind: its own checkpoint and those namespaces that were polled since. One polled
 * namespace is enough to make `*` baselined: a second baseline would swallow what changed in it meanwhile,
 * whereas objects of a namespace never seen before merely appear as created.
 */
export function inherit(scope: Scope, known: readonly ScopeRecord[]): Heritage {
  const related = known.filter((record) => scopesOverlap(record.scope, scope));
  const own = related.find((record) => record.scope.namespace === scope.namespace);
  const polled = related.filter((record) => record.checkpoint !== null);
  const ownFence = own?.checkpointFence ?? 0;
  const candidates = polled.filter((record) => record === own || record.checkpointFence > ownFence);
  const source = scope.namespace === "*" ? furthestBehind(candidates) : latest(candidates);
  return {
    baselined: own?.baselined === true || source !== undefined,
    checkpoint: source?.checkpoint ?? null,
    borrowed: source !== undefined && source !== own,
  };
}

/** The highest fence of every scope that can hold the same objects. */
export function currentFence(scope: Scope, known: readonly ScopeRecord[]): number {
  return Math.max(
    0,
    ...known.filter((record) => scopesOverlap(record.scope, scope)).map((record) => record.fence),
  );
}

function latest(records: readonly ScopeRecord[]): ScopeRecord | undefined {
  return records.toSorted((a, b) => b.checkpointFence - a.checkpointFence)[0];
}

function furthestBehind(records: readonly ScopeRecord[]): ScopeRecord | undefined {
  return records.toSorted((a, b) => comparePlace(a.checkpoint, b.checkpoint))[0];
}

function comparePlace(a: Checkpoint | null, b: Checkpoint | null): number {
  if (a === null || b === null) return 0;
  if (a.nomadEpoch !== b.nomadEpoch) return a.nomadEpoch - b.nomadEpoch;
  const [left, right] = [BigInt(a.index), BigInt(b.index)];
  return left < right ? -1 : left > right ? 1 : 0;
}

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
 * its parts that is furthest behind: its own checkpoint and those namespaces that were polled since and hold
 * anything; but the Nomad epoch is the highest of theirs, so that no id of a later epoch is given out again. One
 * polled namespace is enough to make `*` baselined: a second baseline would swallow what changed in it meanwhile,
 * whereas objects of a namespace never seen before merely appear as created.
 */
export function inherit(scope: Scope, known: readonly ScopeRecord[]): Heritage {
  const related = known.filter((record) => scopesOverlap(record.scope, scope));
  const own = related.find((record) => record.scope.namespace === scope.namespace);
  const polled = related.filter((record) => record.checkpoint !== null);
  const ownFence = own?.checkpointFence ?? 0;
  const candidates = polled.filter((record) => record === own || record.checkpointFence > ownFence);
  const baselined = own?.baselined === true || polled.length > 0;
  if (scope.namespace !== "*") {
    const source = latest(candidates);
    return {
      baselined,
      checkpoint: source?.checkpoint ?? null,
      borrowed: source !== undefined && source !== own,
    };
  }
  const filled = candidates.filter((record) => record === own || (record.checkpoint?.count ?? 0) > 0);
  const source = furthestBehind(filled);
  if (source === undefined || source.checkpoint === null)
    return { baselined, checkpoint: null, borrowed: false };
  const nomadEpoch = Math.max(...filled.map((record) => record.checkpoint?.nomadEpoch ?? 0));
  const borrowed = filled.some((record) => record !== own);
  return { baselined, checkpoint: { ...source.checkpoint, nomadEpoch }, borrowed };
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
  return records.toSorted((a, b) => compareIndex(a.checkpoint, b.checkpoint))[0];
}

function compareIndex(a: Checkpoint | null, b: Checkpoint | null): number {
  const [left, right] = [BigInt(a?.index ?? 0), BigInt(b?.index ?? 0)];
  return left < right ? -1 : left > right ? 1 : 0;
}

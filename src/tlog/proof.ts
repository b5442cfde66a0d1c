import { EMPTY_ROOT, nodeHash } from "./hash.ts";
import type { ReadHash } from "./tile-hashes.ts";

/** Leaves [from, to). */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** One step down: which half was not taken, and on which side it lies. */
interface Step {
  readonly sibling: Span;
  readonly side: "left" | "right";
}

/** RFC 6962 section 2.1.1: the siblings from the leaf up. `index` is below `size`. */
export async function proveInclusion(index: number, size: number, readHash: ReadHash): Promise<Buffer[]> {
  const { steps } = descend(size, goTo(index));
  return Promise.all(steps.toReversed().map(({ sibling }) => spanRoot(sibling, readHash)));
}

export function isIncluded(claim: {
  readonly index: number;
  readonly size: number;
  readonly leaf: Buffer;
  readonly root: Buffer;
  readonly proof: readonly Buffer[];
}): boolean {
  if (claim.index >= claim.size) return false;
  const { steps } = descend(claim.size, goTo(claim.index));
  if (claim.proof.length !== steps.length) return false;
  const root = steps.toReversed().reduce((hash, step, at) => joined(hash, step, claim.proof[at]), claim.leaf);
  return root.equals(claim.root);
}

/** RFC 6962 section 2.1.2: that the tree of `size` begins with the tree of `oldSize`, at most `size`. */
export async function proveConsistency(oldSize: number, size: number, readHash: ReadHash): Promise<Buffer[]> {
  if (oldSize === 0) return [];
  const { steps, end } = descend(size, endAt(oldSize));
  const spans = steps.map(({ sibling }) => sibling);
  if (end.from > 0) spans.push(end);
  return Promise.all(spans.toReversed().map((span) => spanRoot(span, readHash)));
}

export function isConsistent(claim: {
  readonly oldSize: number;
  readonly oldRoot: Buffer;
  readonly size: number;
  readonly root: Buffer;
  readonly proof: readonly Buffer[];
}): boolean {
  const { oldSize, oldRoot, size, root, proof } = claim;
  if (oldSize > size) return false;
  if (oldSize === 0) return proof.length === 0 && oldRoot.equals(EMPTY_ROOT);
  const { steps, end } = descend(size, endAt(oldSize));
  // The old tree itself, where all of it is the new tree's left edge: its root is known.
  const path = end.from > 0 ? proof : [oldRoot, ...proof];
  if (path.length !== steps.length + 1) return false;
  const [start = oldRoot, ...siblings] = path;
  const upwards = steps.toReversed();
  const inNew = upwards.reduce((hash, step, at) => joined(hash, step, siblings[at]), start);
  const inOld = upwards.reduce(
    // What lies to the right came later.
    (hash, step, at) => (step.side === "left" ? joined(hash, step, siblings[at]) : hash),
    start,
  );
  return inNew.equals(root) && inOld.equals(oldRoot);
}

type Turn = (span: Span, middle: number) => "left" | "right" | "stop";

function goTo(index: number): Turn {
  return ({ from, to }, middle) => (to - from === 1 ? "stop" : index < middle ? "left" : "right");
}

function endAt(size: number): Turn {
  return ({ to }, middle) => (to === size ? "stop" : size <= middle ? "left" : "right");
}

/** From the root down, halving as RFC 6962 does: the left half is the largest power of two below the whole. */
function descend(size: number, turn: Turn): { steps: Step[]; end: Span } {
  const steps: Step[] = [];
  let end: Span = { from: 0, to: size };
  for (;;) {
    const middle = end.from + powerBelow(end.to - end.from);
    const [left, right] = [
      { from: end.from, to: middle },
      { from: middle, to: end.to },
    ];
    const way = turn(end, middle);
    if (way === "stop") return { steps, end };
    steps.push(way === "left" ? { sibling: right, side: "right" } : { sibling: left, side: "left" });
    end = way === "left" ? left : right;
  }
}

function joined(hash: Buffer, step: Step, sibling: Buffer | undefined): Buffer {
  if (sibling === undefined) return hash;
  return step.side === "left" ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
}

async function spanRoot({ from, to }: Span, readHash: ReadHash): Promise<Buffer> {
  const length = to - from;
  const height = Math.floor(Math.log2(length));
  if (2 ** height === length) return readHash(height, from / length);
  const middle = from + powerBelow(length);
  const left = await spanRoot({ from, to: middle }, readHash);
  return nodeHash(left, await spanRoot({ from: middle, to }, readHash));
}

/** The largest power of two below `length`; 1 of 1. */
function powerBelow(length: number): number {
  let power = 1;
  while (power * 2 < length) power *= 2;
  return power;
}

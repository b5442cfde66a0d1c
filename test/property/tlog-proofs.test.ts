import * as fc from "fast-check";
import { expect, it } from "vitest";
import { isConsistent, isIncluded, proveConsistency, proveInclusion } from "../../src/tlog/proof.ts";
import { MemoryTree } from "../support/tlog.ts";

/** A tree, the roots of all its beginnings, and two of its sizes. */
const trees = fc
  .tuple(fc.integer({ min: 1, max: 900 }), fc.nat(), fc.nat())
  .map(([size, index, old]) => ({ size, index: index % size, oldSize: old % (size + 1) }));

function grown(size: number): { tree: MemoryTree; roots: Buffer[] } {
  const tree = new MemoryTree();
  const roots = [tree.edge.root()];
  for (let at = 0; at < size; at++) {
    tree.append(Buffer.from(`entry ${at}`));
    roots.push(tree.edge.root());
  }
  return { tree, roots };
}

const { tree: largest, roots } = grown(900);

function rootOf(size: number): Buffer {
  return roots[size] ?? Buffer.alloc(0);
}

function treeOf(size: number): MemoryTree {
  const tree = new MemoryTree();
  for (const leaf of largest.leaves.slice(0, size)) tree.edge.append(leaf);
  tree.append();
  return tree;
}

/** Every hash with one bit of it changed. */
function* withOneBitChanged(hashes: readonly Buffer[], bit: number): Generator<Buffer[]> {
  for (const at of hashes.keys()) {
    const changed = hashes.map((hash) => Buffer.from(hash));
    const hash = changed[at];
    if (hash !== undefined) hash[bit >> 3] = (hash[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield changed;
  }
}

const bits = fc.nat(255);

it("a proof that an entry is in a tree verifies, and nothing near it does", async () => {
  await fc.assert(
    fc.asyncProperty(trees, bits, async ({ size, index }, bit) => {
      const proof = await proveInclusion(index, size, treeOf(size).readHash());
      const leaf = largest.leaves[index] ?? Buffer.alloc(0);
      const claim = { index, size, leaf, root: rootOf(size), proof };
      expect(isIncluded(claim)).toBe(true);
      expect(isIncluded({ ...claim, proof: [...proof, Buffer.alloc(32)] })).toBe(false);
      expect(isIncluded({ ...claim, proof: proof.slice(1) })).toBe(size === 1);
      expect(isIncluded({ ...claim, index: index ^ 1 })).toBe(false);
      for (const [other = leaf, root = leaf, ...rest] of withOneBitChanged([leaf, claim.root, ...proof], bit))
        expect(isIncluded({ ...claim, leaf: other, root, proof: rest })).toBe(false);
    }),
  );
});

it("a proof that a tree begins with an older one verifies, and nothing near it does", async () => {
  await fc.assert(
    fc.asyncProperty(trees, bits, async ({ size, oldSize }, bit) => {
      const proof = await proveConsistency(oldSize, size, treeOf(size).readHash());
      const claim = { oldSize, oldRoot: rootOf(oldSize), size, root: rootOf(size), proof };
      expect(isConsistent(claim)).toBe(true);
      expect(isConsistent({ ...claim, proof: [...proof, Buffer.alloc(32)] })).toBe(false);
      if (oldSize === 0) return;
      const hashes = [claim.oldRoot, claim.root, ...proof];
      for (const [oldRoot = claim.oldRoot, root = claim.root, ...rest] of withOneBitChanged(hashes, bit))
        expect(isConsistent({ ...claim, oldRoot, root, proof: rest })).toBe(false);
    }),
  );
});

it("a tree's tiles are the same, however its entries came", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 6 }), (counts) => {
      const size = counts.reduce((sum, count) => sum + count, 0);
      const [parts, whole] = [new MemoryTree(), new MemoryTree()];
      const entries = Array.from({ length: size }, (_, at) => Buffer.from(`entry ${at}`));
      let at = 0;
      for (const count of counts) parts.append(...entries.slice(at, (at += count)));
      whole.append(...entries);
      expect(parts.edge.root()).toEqual(whole.edge.root());
      for (const [path, bytes] of whole.files) expect(parts.files.get(path)?.equals(bytes)).toBe(true);
    }),
  );
});

import { hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { MAX_ENTRY_BYTES, readBundle, writeBundle } from "../../src/tlog/bundle.ts";
import { TlogFormatError } from "../../src/tlog/errors.ts";
import { EMPTY_ROOT, leafHash, nodeHash } from "../../src/tlog/hash.ts";
import { isConsistent, isIncluded, proveConsistency, proveInclusion } from "../../src/tlog/proof.ts";
import { bundlePath, newTiles, parseTilePath, tilePath } from "../../src/tlog/tiles.ts";
import { TreeEdge } from "../../src/tlog/tree.ts";
import { MemoryTree } from "../support/tlog.ts";

/** The vectors that Certificate Transparency's implementations share. */
const INPUTS = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
].map((hex) => Buffer.from(hex, "hex"));
const ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const INCLUSION_1_OF_8 = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
  "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
];
const CONSISTENCY_6_TO_8 = [
  "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
  "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
];

const hexes = (hashes: readonly Buffer[]): string[] => hashes.map((each) => each.toString("hex"));

function treeOf(entries: readonly Uint8Array[]): MemoryTree {
  const tree = new MemoryTree();
  tree.append(...entries);
  return tree;
}

function numbered(count: number, from = 0): Buffer[] {
  return Array.from({ length: count }, (_, at) => Buffer.from(`entry ${from + at}`));
}

describe("the hashes of RFC 6962", () => {
  it("give the known roots", () => {
    const roots = ROOTS.map((_, size) => treeOf(INPUTS.slice(0, size)).edge.root());
    expect(hexes(roots)).toEqual(ROOTS);
    expect(EMPTY_ROOT.toString("hex")).toBe(ROOTS[0]);
  });

  it("tell leaves from nodes", () => {
    const [left, right] = [leafHash(Buffer.from("l")), leafHash(Buffer.from("r"))];
    expect(leafHash(Buffer.concat([left, right]))).not.toEqual(nodeHash(left, right));
  });

  it("take entries of any length", () => {
    for (const length of [0, 1, 65_534, 65_535, 65_536, 100_000]) {
      const entry = Buffer.alloc(length, 7);
      const expected = hash("sha256", Buffer.concat([Buffer.of(0), entry]), "hex");
      expect(leafHash(entry).toString("hex")).toBe(expected);
    }
  });
});

describe("proofs", () => {
  it("are the known ones", async () => {
    const tree = treeOf(INPUTS);
    expect(hexes(await proveInclusion(1, 8, tree.readHash()))).toEqual(INCLUSION_1_OF_8);
    expect(hexes(await proveConsistency(6, 8, tree.readHash()))).toEqual(CONSISTENCY_6_TO_8);
  });

  it("of every leaf and every older tree verify, of a tree with several levels of tiles too", async () => {
    const tree = treeOf(numbered(70_000));
    const root = tree.edge.root();
    for (const index of [0, 1, 255, 256, 65_535, 65_536, 69_999]) {
      const proof = await proveInclusion(index, 70_000, tree.readHash());
      const leaf = leafHash(Buffer.from(`entry ${index}`));
      expect(isIncluded({ index, size: 70_000, leaf, root, proof })).toBe(true);
    }
    for (const oldSize of [0, 1, 255, 256, 257, 65_536, 65_537, 69_999, 70_000]) {
      const oldRoot = treeOf(numbered(oldSize)).edge.root();
      const proof = await proveConsistency(oldSize, 70_000, tree.readHash());
      expect(isConsistent({ oldSize, oldRoot, size: 70_000, root, proof })).toBe(true);
    }
  });

  it("of what is not in the tree do not verify", () => {
    const [leaf, root] = [leafHash(Buffer.from("x")), Buffer.alloc(32)];
    expect(isIncluded({ index: 1, size: 1, leaf, root: leaf, proof: [] })).toBe(false);
    expect(isConsistent({ oldSize: 2, oldRoot: root, size: 1, root, proof: [] })).toBe(false);
    expect(isConsistent({ oldSize: 0, oldRoot: root, size: 1, root, proof: [] })).toBe(false);
  });
});

describe("tiles", () => {
  it("of a tree of 70,000 are those that the standard counts", () => {
    const paths = [...newTiles(0, 70_000)].map(tilePath);
    const partial = paths.filter((path) => path.includes(".p/"));
    expect(paths).toHaveLength(273 + 1 + 1 + 1 + 1);
    expect(partial).toEqual(["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
    expect([...newTiles(0, 256)].map(tilePath)).toEqual(["tile/0/000", "tile/1/000.p/1"]);
  });

  it("of the levels that did not grow are not written again", () => {
    expect([...newTiles(300, 301)].map(tilePath)).toEqual(["tile/0/001.p/45"]);
    expect([...newTiles(511, 513)].map(tilePath)).toEqual(["tile/0/001", "tile/0/002.p/1", "tile/1/000.p/2"]);
    expect([...newTiles(300, 300)]).toEqual([]);
  });

  it("have the paths of the standard", () => {
    expect(tilePath({ level: 63, index: 1_234_067, width: 256 })).toBe("tile/63/x001/x234/067");
    expect(bundlePath({ index: 1000, width: 7 })).toBe("tile/entries/x001/000.p/7");
    for (const path of ["tile/0/000", "tile/5/x123/x456/078.p/2", "tile/entries/x001/000.p/255"]) {
      const parsed = parseTilePath(path);
      if (parsed === undefined) throw new Error(path);
      const { level } = parsed;
      expect(level === "entries" ? bundlePath(parsed) : tilePath({ ...parsed, level })).toBe(path);
    }
  });

  it.each([
    "tile/64/000",
    "tile/00/000",
    "tile/-1/000",
    "tile/0/1",
    "tile/0/123/456/078",
    "tile/0/x000/001",
    "tile/0/000.p/0",
    "tile/0/000.p/256",
    "tile/0/000.p/01",
    "tile/0/../000",
    "tile/data/000",
    "/tile/0/000",
    "tile/0/000\n",
    "tile/0/x009/x007/x199/x254/x740/x993",
  ])("have no path %j", (path) => {
    expect(parseTilePath(path)).toBeUndefined();
  });
});

describe("appending", () => {
  it("goes on from what was written, and writes what the standard says", async () => {
    const whole = treeOf(numbered(1000));
    const parts = new MemoryTree();
    let size = 0;
    for (const count of [0, 1, 254, 1, 1, 255, 300, 188]) {
      parts.edge = await TreeEdge.read(size, parts.readTile);
      const written = parts.append(...numbered(count, size));
      expect(written.toSorted()).toEqual([...newTiles(size, size + count)].map(tilePath).toSorted());
      size += count;
    }
    expect(parts.edge.root()).toEqual(whole.edge.root());
    for (const [path, bytes] of whole.files) expect(parts.files.get(path)).toEqual(bytes);
  });

  it("refuses a tile that is torn", async () => {
    const torn = TreeEdge.read(3, async () => Buffer.alloc(64));
    await expect(torn).rejects.toThrow("tile/0/000.p/3 has 64 bytes of 96.");
  });
});

describe("a bundle", () => {
  it("gives back its entries", () => {
    const entries = [Buffer.from("a"), Buffer.alloc(0), Buffer.alloc(MAX_ENTRY_BYTES, 1)];
    const bundle = writeBundle(entries);
    expect(bundle.subarray(0, 5)).toEqual(Buffer.from([0, 1, 97, 0, 0]));
    expect(readBundle(bundle)).toEqual({ entries, tornBytes: 0 });
  });

  it("that is torn gives what is whole", () => {
    const bundle = writeBundle([Buffer.from("one"), Buffer.from("two")]);
    expect(readBundle(bundle.subarray(0, -1))).toEqual({ entries: [Buffer.from("one")], tornBytes: 4 });
    expect(readBundle(bundle.subarray(0, 6))).toEqual({ entries: [Buffer.from("one")], tornBytes: 1 });
  });

  it("takes no entry that is too large", () => {
    expect(() => writeBundle([Buffer.alloc(MAX_ENTRY_BYTES + 1)])).toThrow(TlogFormatError);
  });
});

import {
  mkdirSync,
  mkdtempSync,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DurableFiles } from "../../src/publishers/audit/disk.ts";
import { until } from "../support/until.ts";
import { removeUnsigned } from "../../src/publishers/audit/unsigned-files.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "ncf-disk-"));
});
afterEach(() => rmSync(root, { recursive: true }));

describe("files that are forced to the disk", () => {
  const paths = Array.from({ length: 100 }, (_, at) => `tile/${at % 3}/${at}`);
  const textOf = (path: string) => `the text of ${path}`;
  const textIn = (path: string) => {
    const file = join(root, path);
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  };
  const fileOf = (path: string) => ({ path, bytes: Buffer.from(textOf(path)) });

  it.each([
    ["in the order in which they were said to come", paths],
    ["in the opposite order", paths.toReversed()],
    ["the last one first", [...paths.slice(-1), ...paths.slice(0, -1)]],
    ["and others beside", [...paths, "one/more"]],
  ])("are there and whole, %s", async (_how, added) => {
    await using writing = new DurableFiles(root).begin(paths);
    for (const path of added) {
      writing.add(fileOf(path));
      // So that it is there before the next ones are opened.
      await until("it is written", () => textIn(path) === textOf(path));
    }
    await writing.end();
    expect(added.map(textIn)).toEqual(added.map(textOf));
  });

  it.skipIf(!existsSync("/proc/self/fd"))("are closed where they were not written after all", async () => {
    const open = () => {
      const own = readdirSync("/proc/self/fd").flatMap((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`);
        } catch {
          return [];
        }
      });
      return own.filter((path) => path.startsWith(root));
    };
    {
      await using writing = new DurableFiles(root).begin(paths);
      writing.add(fileOf(paths[0] ?? ""));
    }
    expect(open()).toEqual([]);
  });

  it("are gone with their folder, whatever else is in it, and come back", async () => {
    const files = new DurableFiles(root);
    await files.removeFolder("tile/none");
    await files.replace(fileOf("tile/0/1"));
    mkdirSync(join(root, "tile/0/of-the-system"));
    await files.removeFolder("tile/0");
    expect(existsSync(join(root, "tile/0"))).toBe(false);
    await files.replace(fileOf("tile/0/1"));
    expect(readFileSync(join(root, "tile/0/1"), "utf8")).toBe(textOf("tile/0/1"));
  });
});

describe("what a killed writer left beyond the signed tree", () => {
  it.each([
    [0, ["tile/0/000", "tile/entries/001.p/9", "tile/1/000.p/2"], []],
    [300, ["tile/0/001.p/200", "tile/1/000.p/5"], ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"]],
    [65_535, ["tile/0/255", "tile/1/000", "tile/2/000.p/1"], ["tile/0/255.p/255", "tile/1/000.p/255"]],
  ])("of %i entries is removed, and nothing else", async (size, beyond, signed) => {
    for (const path of [...beyond, ...signed]) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), "");
    }
    await removeUnsigned(root, size);
    expect([...beyond, ...signed].filter((path) => existsSync(join(root, path)))).toEqual(signed);
  });
});

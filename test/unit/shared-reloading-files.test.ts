import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { fileVersions, ReloadingFiles } from "../../src/shared/reloading-files.ts";
import { TestClock } from "../support/test-clock.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ncf-reloading-"));
  path = join(folder, "file");
  writeFileSync(path, "one");
});
afterEach(() => rmSync(folder, { recursive: true }));

it("keeps the last content that could be used, and tells each problem and each change once", () => {
  let version = "one";
  const told: string[] = [];
  const files = new ReloadingFiles({
    version: () => {
      if (version === "gone") throw new Error("there is no file");
      return version;
    },
    read: (text) => {
      if (text.startsWith("bad")) throw new Error(`${text} cannot be read`);
      return text.toUpperCase();
    },
    onReload: (content) => told.push(content),
    onUnusable: (problem) => told.push((problem as Error).message),
  });
  const current = (next: string): string[] => {
    version = next;
    return [files.current(), files.current(), ...told.splice(0)];
  };
  expect(current("one")).toEqual(["ONE", "ONE"]);
  expect(current("two")).toEqual(["TWO", "TWO", "TWO"]);
  expect(current("bad")).toEqual(["TWO", "TWO", "bad cannot be read"]);
  expect(current("gone")).toEqual(["TWO", "TWO", "there is no file"]);
  expect(current("two")).toEqual(["TWO", "TWO", "TWO"]);
  expect(current("gone")).toEqual(["TWO", "TWO", "there is no file"]);
  expect(current("three")).toEqual(["THREE", "THREE", "THREE"]);
});

it("reads again what could not be read for a moment, though it looks the same", () => {
  const disk = { version: "1", text: "old", fails: false, reads: 0 };
  const clock = new TestClock();
  const problems: unknown[] = [];
  const files = new ReloadingFiles({
    version: () => disk.version,
    read: () => {
      disk.reads += 1;
      if (disk.fails) throw new Error("EACCES: permission denied");
      return disk.text;
    },
    onUnusable: (problem) => problems.push(problem),
    clock,
  });
  Object.assign(disk, { reads: 0, version: "2", text: "new", fails: true });
  for (let requests = 0; requests < 100; requests += 1) expect(files.current()).toBe("old");
  expect([disk.reads, problems.length]).toEqual([1, 1]);
  // chown changes neither time nor size, number or mode.
  disk.fails = false;
  clock.pass(1_000);
  expect(files.current()).toBe("new");
});

it("has no content before there was one that can be used", () => {
  const read = () => {
    throw new Error("not yet");
  };
  expect(() => new ReloadingFiles({ version: () => "", read, onUnusable: () => undefined })).toThrow(
    "not yet",
  );
});

it("tells by its version whether a file was written, replaced, removed, or allowed to others", () => {
  const versions = [fileVersions([path])];
  const then = (change: () => void) => {
    change();
    versions.push(fileVersions([path]));
  };
  then(() => writeFileSync(path, "longer"));
  then(() => {
    writeFileSync(`${path}.new`, "longer");
    renameSync(`${path}.new`, path);
  });
  then(() => chmodSync(path, 0o604));
  then(() => rmSync(path));
  expect(new Set(versions).size).toBe(5);
  expect(fileVersions([path])).toBe(versions.at(-1));
});

import { createServer } from "node:http";
import { once } from "node:events";
import {
  appendFile,
  cp,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readBundle, writeBundle } from "../../src/tlog/bundle.ts";
import { generateNoteKey } from "../../src/tlog/note-keys.ts";
import {
  detachedEntry,
  entriesOf,
  eventEntry,
  KEY,
  markEntry,
  ORIGIN,
  write,
  writeTrail,
} from "../support/written-trail.ts";
import { runCli } from "../support/cli.ts";

interface Verdict {
  readonly verified: boolean;
  readonly findings: readonly {
    kind: string;
    message: string;
    index?: number;
    sequence?: number;
    object?: string;
    path?: string;
  }[];
  readonly unsigned: readonly string[];
  readonly [fact: string]: unknown;
}

/** Every sort of entry: the beginning, a gap, a new epoch, and an event whose data stands beside. */
const DETACHED = detachedEntry(400);
const ENTRIES = [
  ...entriesOf(400),
  DETACHED.entry,
  markEntry({ type: "changefeed.audit.gap", fromSeq: 401, nextSeq: 405, reason: "expired" }),
  ...Array.from({ length: 100 }, (_, at) => eventEntry(405 + at)),
  markEntry({ type: "changefeed.audit.epoch", epoch: "e2", nextSeq: 1 }),
  ...Array.from({ length: 100 }, (_, at) => eventEntry(1 + at, "e2")),
];
const OTHER_KEY = generateNoteKey(ORIGIN);

let home: string;
let whole: string;
/** A copy of the whole trail, for each test to spoil. */
let trail: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "audit-verify-"));
  whole = join(home, "whole");
  await writeTrail(whole, ENTRIES, { steps: [10, 300] });
  await write(whole, DETACHED.path, DETACHED.data);
});
afterAll(() => rm(home, { recursive: true }));

beforeEach(async () => {
  trail = join(home, "trail");
  await rm(trail, { recursive: true, force: true });
  await cp(whole, trail, { recursive: true });
});

async function verify(...flags: readonly string[]): Promise<Verdict & { code: number }> {
  const args = ["audit", "verify", trail, "--json", "--key", KEY.verifierKey, ...flags];
  const { code, stdout, stderr } = await runCli(args);
  if (stderr !== "") throw new Error(stderr);
  return { ...(JSON.parse(stdout) as Verdict), code };
}

/** Rewrites a bundle, and neither its tile nor what follows. */
async function respell(path: string, change: (entries: Buffer[]) => Buffer[]): Promise<void> {
  const { entries } = readBundle(await readFile(join(trail, path)));
  await write(trail, path, writeBundle(change(entries)));
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(join(trail, path));
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(join(trail, path), bytes);
}

async function filesOf(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .toSorted();
}

describe("a trail that is whole", () => {
  it("verifies, and says what it holds", async () => {
    expect(await verify()).toMatchObject({
      code: 0,
      verified: true,
      origin: ORIGIN,
      size: ENTRIES.length,
      feed: "nomad://prod/global",
      events: ENTRIES.length - 3,
      gaps: 1,
      missingEvents: 4,
      epochs: 2,
      findings: [],
      unsigned: [],
    });
  });

  it("says so to people", async () => {
    const { code, stdout } = await runCli(["audit", "verify", trail, "--key", KEY.verifierKey]);
    expect(code).toBe(0);
    expect(stdout).toContain("events      600, one gap, in which 4 events are missing, 2 epochs\n");
    expect(stdout).toMatch(/^verifies: every entry and every tile hashes to the signed root$/m);
  });

  it("says with which event it begins, where that is not the first", async () => {
    const later = Buffer.from(String(entriesOf(1)[0]).replace('"firstSeq":1', '"firstSeq":912'));
    await writeTrail(trail, [later, eventEntry(912), eventEntry(913)]);
    expect(await verify()).toMatchObject({ code: 0, firstSeq: 912, events: 2 });
    const { stdout } = await runCli(["audit", "verify", trail, "--key", KEY.verifierKey]);
    expect(stdout).toContain("events      2 from event 912 on, no gaps, one epoch\n");
  });

  it("verifies without a key, and says what that is worth", async () => {
    const { code, stdout } = await runCli(["audit", "verify", trail]);
    expect(code).toBe(0);
    expect(stdout).toContain("no --key was given: whoever can write the trail could have signed it");
  });

  it("verifies whatever its size", async () => {
    for (const size of [0, 1, 255, 256, 257, 511, 512, 513]) {
      await writeTrail(trail, ENTRIES.slice(0, size));
      await write(trail, DETACHED.path, DETACHED.data);
      expect(await verify()).toMatchObject({ code: 0, size });
    }
  });

  it("verifies while one key takes over from another, for whoever has either", async () => {
    await writeTrail(trail, entriesOf(300), { keys: [KEY.privateKey, OTHER_KEY.privateKey] });
    expect(await verify()).toMatchObject({ code: 0 });
    const { code } = await runCli(["audit", "verify", trail, "--key", OTHER_KEY.verifierKey]);
    expect(code).toBe(0);
  });

  it("is told what a killed writer left beyond the checkpoint, and verifies", async () => {
    await write(trail, "tile/entries/002.p/200", writeBundle(ENTRIES.slice(0, 200)));
    await write(trail, "tile/entries/003", writeBundle(ENTRIES.slice(0, 256)));
    expect(await verify()).toMatchObject({
      code: 0,
      unsigned: ["tile/entries/002.p/200", "tile/entries/003"].toSorted(),
    });
  });

  it("verifies where it grew since its checkpoint was read", async () => {
    const before = await readFile(join(whole, "checkpoint"));
    const more = Array.from({ length: 300 }, (_, at) => eventEntry(101 + at, "e2"));
    await writeTrail(trail, [...ENTRIES, ...more], { steps: [ENTRIES.length] });
    // A writer removes what became full.
    await rm(join(trail, "tile/entries/002.p"), { recursive: true });
    await write(trail, DETACHED.path, DETACHED.data);
    await write(trail, "checkpoint", before);
    expect(await verify()).toMatchObject({ code: 0, size: ENTRIES.length });
  });
});

describe("a byte changed", () => {
  it("anywhere in any file is found", async () => {
    const files = await filesOf(whole);
    expect(files).toContain("tile/entries/000.p/10");
    for (const path of files) {
      const { size } = await stat(join(whole, path));
      for (const at of [0, Math.floor(size / 2)]) {
        await flip(path, at);
        const { code, findings } = await verify();
        expect(code, `${path} byte ${at}`).toBe(3);
        expect(findings).not.toEqual([]);
        await flip(path, at);
      }
    }
    expect(await verify()).toMatchObject({ code: 0 });
  });

  it("in an entry names the entry, its event and its object", async () => {
    const bundle = await readFile(join(trail, "tile/entries/001"));
    await flip("tile/entries/001", bundle.indexOf("event-e1-300") + 8);
    expect(await verify()).toMatchObject({
      findings: [
        {
          kind: "changed",
          index: 300,
          sequence: 300,
          object: "allocations/default/00000300",
          path: "tile/entries/001",
          message: "entry 300 was changed",
        },
      ],
    });
  });

  it("in a tile names the tile, and that every entry is right", async () => {
    await flip("tile/0/001", 32 * 7);
    expect(await verify()).toMatchObject({
      findings: [
        {
          kind: "tile",
          path: "tile/0/001",
          message: "every entry is right, but tile/0/001 has another hash for entries 263 to 263",
        },
      ],
    });
    await flip("tile/0/001", 32 * 7);
    await flip("tile/1/000.p/2", 32);
    const { findings } = await verify();
    expect(findings[0]?.message).toBe(
      "every entry is right, but tile/1/000.p/2 has another hash for entries 256 to 511",
    );
  });

  it("in an entry and its tile at once names the bundle", async () => {
    await respell("tile/entries/000", (entries) => entries.with(9, eventEntry(9, "e1", { changed: true })));
    const tampered = join(home, "tampered");
    await writeTrail(tampered, readBundle(await readFile(join(trail, "tile/entries/000"))).entries);
    await cp(join(tampered, "tile/0/000"), join(trail, "tile/0/000"));
    expect(await verify()).toMatchObject({
      findings: [{ kind: "changed", index: 0, path: "tile/1/000.p/2" }],
    });
  });

  it("in data beside an entry names the file and the entry", async () => {
    await flip(DETACHED.path, 100);
    const found = { kind: "object", index: 400, path: DETACHED.path };
    expect(await verify()).toMatchObject({ code: 3, findings: [found] });
    await rm(join(trail, DETACHED.path));
    const { findings } = await verify();
    expect(findings[0]?.message).toBe(`${DETACHED.path}, which entry 400 has its data in, is not there`);
  });
});

describe("the daily files", () => {
  const DAYS = ["daily/2026-11-28.jsonl.gz", "daily/2026-11-29.jsonl.gz"] as const;

  /** In two files of two members each, which have all entries but the last ones. */
  async function writeDays(entries: readonly Buffer[]): Promise<void> {
    const member = (from: number, to: number) =>
      gzipSync(
        entries
          .slice(from, to)
          .map((entry) => `${entry.toString()}\n`)
          .join(""),
      );
    await write(trail, DAYS[0], Buffer.concat([member(0, 100), member(100, 300)]));
    await write(trail, DAYS[1], Buffer.concat([member(300, 301), member(301, 590)]));
  }

  it("are compared with the entries, and may be behind", async () => {
    await writeDays(ENTRIES);
    expect(await verify()).toMatchObject({ code: 0, dailyEntries: 590 });
    const { stdout } = await runCli(["audit", "verify", trail, "--key", KEY.verifierKey]);
    expect(stdout).toContain("the daily files end before entry 590");
    await truncate(join(trail, DAYS[1]), (await stat(join(trail, DAYS[1]))).size - 1);
    expect(await verify()).toMatchObject({ code: 0 });
  });

  it("are said to go on behind the last entry where lines were added to them", async () => {
    await writeDays(ENTRIES);
    const flags = ["audit", "verify", trail, "--key", KEY.verifierKey];
    const last = ENTRIES.slice(590).map((entry) => `${entry.toString()}\n`);
    const days = join(trail, DAYS[1]);
    await appendFile(days, gzipSync(last.join("")));
    expect((await runCli(flags)).stdout).not.toContain("the daily files");
    await appendFile(days, gzipSync('{"of":"nobody"}\n'));
    const { code, stdout } = await runCli(flags);
    expect(code).toBe(0);
    expect(stdout).toContain(`the daily files go on behind entry ${ENTRIES.length - 1}`);
    await write(trail, "daily/2026-11-30.jsonl.gz", gzipSync('{"of":"nobody"}\n'));
    expect(await verify()).toMatchObject({ code: 0, dailyGoesOn: true });
  });

  it("are not said to end early where what was found ended their comparison", async () => {
    await writeDays(ENTRIES);
    await flip("tile/entries/001", 100);
    const { code, stdout } = await runCli(["audit", "verify", trail, "--key", KEY.verifierKey]);
    expect(code).toBe(3);
    expect(stdout).toContain("2 epochs, as far as they were counted\n");
    expect(stdout).not.toContain("the daily files end");
    await truncate(join(trail, "tile/entries/001"), 100);
    expect(await verify()).toMatchObject({ code: 3, dailyGoesOn: false });
  });

  it.each([
    ["has another entry", DAYS[0], 120, ENTRIES.with(120, eventEntry(120, "e1", { other: true }))],
    ["lacks one", DAYS[1], 310, ENTRIES.toSpliced(310, 1)],
    ["has one twice", DAYS[1], 500, ENTRIES.toSpliced(500, 0, ENTRIES[499] as Buffer)],
  ])("are told where one %s", async (_, path, index, entries) => {
    await writeDays(entries);
    expect(await verify()).toMatchObject({ code: 3, findings: [{ kind: "daily", path, index }] });
  });

  it("are told where one cannot be unpacked", async () => {
    await writeDays(ENTRIES);
    await flip(DAYS[1], 40);
    expect(await verify()).toMatchObject({ code: 3, findings: [{ kind: "daily", path: DAYS[1] }] });
    await truncate(join(trail, DAYS[0]), 500);
    expect(await verify()).toMatchObject({ code: 3, findings: [{ kind: "daily", path: DAYS[0] }] });
  });
});

describe("entries of a bundle", () => {
  it.each([
    [
      "dropped",
      "missing",
      (entries: Buffer[]) => entries.toSpliced(4, 1),
      "entry 260 is missing; entry 261 stands in its place",
    ],
    ["dropped at the end", "missing", (entries: Buffer[]) => entries.slice(0, -1), undefined],
    [
      "written twice",
      "duplicated",
      (entries: Buffer[]) => entries.toSpliced(4, 0, entries[3] as Buffer),
      "entry 260 is entry 259 once more",
    ],
    [
      "in place of another",
      "duplicated",
      (entries: Buffer[]) => entries.with(4, entries[3] as Buffer),
      "entry 260 is entry 259 once more",
    ],
    [
      "swapped",
      "reordered",
      (entries: Buffer[]) => entries.with(4, entries[9] as Buffer).with(9, entries[4] as Buffer),
      "entry 260 was moved to 265; entry 265 stands in its place",
    ],
    [
      "put in",
      "inserted",
      (entries: Buffer[]) => entries.toSpliced(4, 0, eventEntry(9999)),
      "entry 260 was put in before the one that belongs there",
    ],
  ])("%s are named as %s", async (_, kind, change, message) => {
    await respell("tile/entries/001", change);
    const { code, findings } = await verify();
    expect(code).toBe(3);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      kind,
      path: "tile/entries/001",
      ...(message && { message, index: 260, sequence: 260 }),
    });
  });

  it("moved over its end are named", async () => {
    const [first, second] = ["tile/entries/000", "tile/entries/001"] as const;
    const all = [first, second].map(async (path) => readBundle(await readFile(join(trail, path))).entries);
    const shifted = (await Promise.all(all)).flat().toSpliced(200, 1);
    await write(trail, first, writeBundle(shifted.slice(0, 256)));
    await write(trail, second, writeBundle(shifted.slice(256)));
    expect(await verify()).toMatchObject({ findings: [{ kind: "missing", index: 200, sequence: 200 }] });
  });

  it("torn off are named", async () => {
    await truncate(join(trail, "tile/entries/001"), 5000);
    const { findings } = await verify();
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ kind: "missing", path: "tile/entries/001" });
    const { entries } = readBundle(await readFile(join(trail, "tile/entries/001")));
    expect(findings[0]?.index).toBe(256 + entries.length);
  });

  it("that are gone with their file are named", async () => {
    await rm(join(trail, "tile/entries/001"));
    expect(await verify()).toMatchObject({ findings: [{ kind: "missing", index: 256, sequence: 256 }] });
  });

  it("that are gone with a tile's file are not: the tile is", async () => {
    await rename(join(trail, "tile/0/000"), join(trail, "tile/0/000.old"));
    const { findings } = await verify();
    expect(findings).toMatchObject([{ kind: "tile", path: "tile/0/000" }]);
  });
});

describe("a kept checkpoint", () => {
  let kept: string;

  beforeAll(async () => {
    kept = join(home, "kept");
    await writeTrail(join(home, "older"), ENTRIES.slice(0, 300));
    await cp(join(home, "older", "checkpoint"), kept);
  });

  it("is the beginning of the trail that grew", async () => {
    expect(await verify("--against", kept)).toMatchObject({ code: 0 });
    expect(await verify("--against", join(whole, "checkpoint"))).toMatchObject({ code: 0 });
  });

  it("tells a trail that was set back", async () => {
    await writeTrail(trail, ENTRIES.slice(0, 200));
    expect(await verify()).toMatchObject({ code: 0 });
    expect(await verify("--against", kept)).toMatchObject({
      code: 3,
      findings: [{ kind: "rollback", index: 200 }],
    });
  });

  it("that stands in place of the trail's own is not taken for a writer's work alone", async () => {
    await cp(kept, join(trail, "checkpoint"));
    const { code, stdout } = await runCli(["audit", "verify", trail, "--key", KEY.verifierKey]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^note: \d+ files hold entries that no checkpoint signs yet.*or the checkpoint is an older one$/m,
    );
  });

  it("tells a trail that was written anew with its own key", async () => {
    const others = ENTRIES.with(100, eventEntry(100, "e1", { other: true }));
    await writeTrail(trail, others);
    await write(trail, DETACHED.path, DETACHED.data);
    expect(await verify()).toMatchObject({ code: 0 });
    expect(await verify("--against", kept)).toMatchObject({ code: 3, findings: [{ kind: "fork" }] });
  });

  it("of another trail is told", async () => {
    await writeTrail(join(home, "other"), entriesOf(5), { origin: "example.com/other" });
    const flags = ["--against", join(home, "other", "checkpoint")];
    expect(await verify(...flags)).toMatchObject({ code: 3, findings: [{ kind: "other-log" }] });
  });

  it("that nobody signed whose key is known is refused", async () => {
    await writeTrail(join(home, "other"), entriesOf(5), { keys: [OTHER_KEY.privateKey] });
    const flags = ["--key", KEY.verifierKey, "--against", join(home, "other", "checkpoint")];
    const { code, stderr } = await runCli(["audit", "verify", trail, ...flags]);
    expect(code).toBe(3);
    expect(stderr).toContain(`${join(home, "other", "checkpoint")}: Signed by example.com/nomad+`);
  });

  it("that is none is named", async () => {
    const none = join(trail, "tile/0/000");
    const { code, stderr } = await runCli(["audit", "verify", trail, "--against", none]);
    expect(code).toBe(3);
    expect(stderr).toContain(`${none}: This is no signed note`);
  });
});

describe("whoever has another key", () => {
  it("is told by it", async () => {
    await writeTrail(trail, ENTRIES, { keys: [OTHER_KEY.privateKey] });
    expect(await verify()).toMatchObject({ code: 3, findings: [{ kind: "signature", path: "checkpoint" }] });
  });

  it("is told where entries and tiles were written anew and the checkpoint was left", async () => {
    const checkpoint = await readFile(join(whole, "checkpoint"));
    await writeTrail(trail, ENTRIES.with(100, eventEntry(100, "e1", { other: true })));
    await write(trail, DETACHED.path, DETACHED.data);
    await write(trail, "checkpoint", checkpoint);
    expect(await verify()).toMatchObject({ code: 3, findings: [{ kind: "rewritten" }] });
  });
});

describe("a writer that has the key and keeps bad books is told by counting", () => {
  it.each([
    [
      "missing",
      ENTRIES.toSpliced(100, 1),
      { index: 100, sequence: 100, object: "allocations/default/00000101" },
    ],
    ["duplicated", ENTRIES.toSpliced(100, 0, eventEntry(99)), { index: 100, sequence: 100 }],
    [
      "reordered",
      ENTRIES.with(100, eventEntry(101)).with(101, eventEntry(100)),
      { index: 100, sequence: 100 },
    ],
    ["malformed", ENTRIES.with(100, Buffer.from("no JSON")), { index: 100 }],
    ["malformed", ENTRIES.slice(1), { index: 0 }],
    ["malformed", ENTRIES.with(100, ENTRIES[0] as Buffer), { index: 100 }],
    ["malformed", ENTRIES.filter((entry) => !entry.includes("audit.epoch")), { index: 502 }],
    ["missing", ENTRIES.filter((entry) => !entry.includes("audit.gap")), { index: 401, sequence: 401 }],
    [
      "malformed",
      ENTRIES.with(401, markEntry({ type: "changefeed.audit.gap", fromSeq: 390, nextSeq: 405, reason: "x" })),
      { index: 401 },
    ],
  ])("%s, %#", async (kind, entries, where) => {
    await writeTrail(trail, entries);
    await write(trail, DETACHED.path, DETACHED.data);
    expect(await verify()).toMatchObject({ code: 3, findings: [{ kind, ...where }] });
  });

  it("also where an event holds the number that belongs there within its data", async () => {
    const liar = eventEntry(150, "e1", { sequence: "0000000000000100", cursor: "e1-100" });
    const text = liar
      .toString()
      .replace(
        '"specversion":"1.0",',
        '"specversion":"1.0","data":{"sequence":"0000000000000100","cursor":"e1-100"},',
      );
    await writeTrail(trail, ENTRIES.with(100, Buffer.from(text)));
    await write(trail, DETACHED.path, DETACHED.data);
    expect(await verify()).toMatchObject({ code: 3, findings: [{ kind: "missing", index: 100 }] });
  });
});

it("a trail that is served verifies as one in a directory", async () => {
  const server = createServer((request, response) => {
    readFile(join(trail, request.url ?? "")).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const flags = ["audit", "verify", url, "--key", KEY.verifierKey];
  expect(await runCli(flags)).toMatchObject({ code: 0 });
  await flip("tile/entries/001", 5000);
  const { code, stdout } = await runCli(flags);
  expect(code).toBe(3);
  expect(stdout).toMatch(/^changed: entry 2\d\d was changed$/m);
  server.close();
});

it("a folder that holds no trail is told, and a disk that cannot be read is no finding", async () => {
  await rm(join(trail, "checkpoint"));
  const message = expect.stringMatching(
    /has no checkpoint: nothing is entered yet, or it was removed, .*\/v1\/audit\//,
  ) as string;
  expect(await verify()).toMatchObject({ code: 3, findings: [{ kind: "checkpoint", message }] });
  const nowhere = await runCli(["audit", "verify", join(trail, "nowhere")]);
  expect(nowhere).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("there is no directory") as string,
  });
  const { code, stderr } = await runCli(["audit", "verify", "http://127.0.0.1:1/"]);
  expect(code).toBe(1);
  expect(stderr).toContain("does not answer");
});

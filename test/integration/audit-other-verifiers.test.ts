import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readBundle, writeBundle } from "../../src/tlog/bundle.ts";
import { generateNoteKey } from "../../src/tlog/note-keys.ts";
import { runCli } from "../support/cli.ts";
import { askGoVerifier, askVerifier, buildGoVerifier } from "../support/go-verifier.ts";
import { skippedBecause } from "../support/skipped.ts";
import { entriesOf, eventEntry, KEY, ORIGIN, write, writeTrail } from "../support/written-trail.ts";

const ENTRIES = entriesOf(65_800);
const SIZES = [0, 1, 256, 257, 65_537];
const { lacks } = buildGoVerifier();
const torchwood = buildGoVerifier("torchwood-verifier");
const FSCK_BUILT = join(homedir(), ".cache/nomad-changefeed/fsck");
const TESSERA_FSCK = process.env["TEST_TESSERA_FSCK"] ?? (existsSync(FSCK_BUILT) ? FSCK_BUILT : undefined);

let home: string;
let whole: string;
let trail: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "audit-others-"));
  whole = join(home, "whole");
  trail = join(home, "trail");
  await writeTrail(whole, ENTRIES.slice(0, 600));
});
afterAll(() => rm(home, { recursive: true }));

beforeEach(async () => {
  await rm(trail, { recursive: true, force: true });
  await cp(whole, trail, { recursive: true });
});

const BUNDLE = "tile/entries/001";

async function respell(change: (entries: Buffer[]) => Buffer[]): Promise<void> {
  const { entries } = readBundle(await readFile(join(trail, BUNDLE)));
  await write(trail, BUNDLE, writeBundle(change(entries)));
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(join(trail, path));
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(join(trail, path), bytes);
}

async function checkpointOf(entries: readonly Buffer[], name: string): Promise<string> {
  const other = join(home, name);
  await writeTrail(other, entries);
  return join(other, "checkpoint");
}

const swapped = (entries: Buffer[]) => entries.with(4, entries[9] as Buffer).with(9, entries[4] as Buffer);

const TAMPERINGS: [string, () => Promise<void>][] = [
  ["a byte of the checkpoint", () => flip("checkpoint", 20)],
  ["a byte of its signature", () => flip("checkpoint", 140)],
  ["a byte of an entry", () => flip(BUNDLE, 5000)],
  ["a byte of a tile", () => flip("tile/0/000", 5000)],
  ["a byte of the tile above", () => flip("tile/1/000.p/2", 40)],
  ["an entry dropped", () => respell((entries) => entries.toSpliced(4, 1))],
  ["entries swapped", () => respell(swapped)],
  ["an entry twice", () => respell((entries) => entries.toSpliced(4, 0, entries[4] as Buffer))],
  ["an entry in place of another", () => respell((entries) => entries.with(4, entries[3] as Buffer))],
  ["a bundle torn", () => truncate(join(trail, BUNDLE), 5000)],
  ["a bundle gone", () => rm(join(trail, BUNDLE))],
  [
    "another key",
    () => writeTrail(trail, ENTRIES.slice(0, 600), { keys: [generateNoteKey(ORIGIN).privateKey] }),
  ],
];

describe.skipIf(lacks !== undefined)(`the Go project's sumdb/note and tlog${skippedBecause(lacks)}`, () => {
  it("accept a trail of any size", async () => {
    for (const size of [...SIZES, ENTRIES.length]) {
      await writeTrail(trail, ENTRIES.slice(0, size));
      const said = `ACCEPTED: ${size} entries`;
      expect(askGoVerifier("trail", trail, KEY.verifierKey)).toEqual({ accepts: true, said });
    }
  });

  it.each(TAMPERINGS)("refuse %s, and so do we", async (_, tamper) => {
    await tamper();
    expect(askGoVerifier("trail", trail, KEY.verifierKey)).toMatchObject({ accepts: false });
    expect(await runCli(["audit", "verify", trail, "--key", KEY.verifierKey])).toMatchObject({ code: 3 });
  });

  it("see with a kept checkpoint what grew, was set back and was told twice", async () => {
    const older = await checkpointOf(ENTRIES.slice(0, 300), "older");
    const newer = await checkpointOf(ENTRIES.slice(0, 700), "newer");
    const others = ENTRIES.slice(0, 300).with(7, eventEntry(7, "e1", { other: true }));
    const forked = await checkpointOf(others, "forked");
    const ask = (kept: string) => askGoVerifier("trail", trail, KEY.verifierKey, kept).accepts;
    expect([older, newer, forked].map(ask)).toEqual([true, false, false]);
  });

  it("accept our proofs, and none that was changed", async () => {
    const [proof, grown] = [join(home, "proof"), join(home, "grown")];
    await writeTrail(trail, ENTRIES);
    for (const event of ["1", "255", "256", "65535", "65536", "65799"]) {
      await writeFile(proof, (await runCli(["audit", "prove", event, trail])).stdout);
      const said = `ACCEPTED: entry ${event}`;
      expect(askGoVerifier("inclusion", proof, KEY.verifierKey)).toEqual({ accepts: true, said });
    }
    await writeFile(proof, (await readFile(proof, "utf8")).replace("index 65799", "index 65798"));
    expect(askGoVerifier("inclusion", proof, KEY.verifierKey)).toMatchObject({ accepts: false });
    for (const size of SIZES.filter((each) => each > 0)) {
      const kept = await checkpointOf(ENTRIES.slice(0, size), "kept");
      await writeFile(grown, (await runCli(["audit", "consistency", kept, trail])).stdout);
      const said = `ACCEPTED: ${size} grew to ${ENTRIES.length}`;
      expect(askGoVerifier("consistency", grown, kept, KEY.verifierKey)).toEqual({ accepts: true, said });
    }
    await writeFile(grown, (await readFile(grown, "utf8")).replace(/\n[^\n]+\n\n/, "\n\n"));
    const kept = join(home, "kept", "checkpoint");
    expect(askGoVerifier("consistency", grown, kept, KEY.verifierKey)).toMatchObject({ accepts: false });
  });
});

describe.skipIf(torchwood.lacks !== undefined)(`Torchwood${skippedBecause(torchwood.lacks)}`, () => {
  const ask = () => askVerifier("torchwood-verifier", [trail, KEY.verifierKey]);

  it("accepts a trail of any size", async () => {
    for (const size of [...SIZES, ENTRIES.length]) {
      await writeTrail(trail, ENTRIES.slice(0, size));
      expect(ask()).toEqual({ accepts: true, said: `ACCEPTED: ${size} entries of ${ORIGIN}` });
    }
  });

  it.each(TAMPERINGS)("refuses %s", async (_, tamper) => {
    await tamper();
    expect(ask()).toMatchObject({ accepts: false, said: expect.stringMatching(/^REFUSED: /) as string });
  });
});

const GET_FSCK =
  "no fsck of Tessera: scripts/test builds it where there is Go, or TEST_TESSERA_FSCK names it";

// It hangs on damage, or ends with 0: it only says which trails are whole.
it.skipIf(TESSERA_FSCK === undefined)(
  `Tessera's fsck accepts a trail${skippedBecause(TESSERA_FSCK === undefined ? GET_FSCK : undefined)}`,
  async () => {
    const key = join(home, "vkey");
    await writeFile(key, KEY.verifierKey);
    for (const size of [...SIZES.filter((each) => each > 0), ENTRIES.length]) {
      await writeTrail(trail, ENTRIES.slice(0, size));
      const flags = ["--ui=false", `--storage_url=file://${trail}/`, `--public_key=${key}`];
      const { stderr } = spawnSync(String(TESSERA_FSCK), flags, { encoding: "utf8", timeout: 60_000 });
      expect(stderr).toContain(`Successfully fsck'd log with size ${size} `);
    }
  },
);

import { cp, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateNoteKey } from "../../src/tlog/note-keys.ts";
import { entriesOf, eventEntry, KEY, markEntry, ORIGIN, writeTrail } from "../support/written-trail.ts";
import { runCli } from "../support/cli.ts";

/** Two epochs, a gap in each; the second one was set back once and goes on with numbers that were there before. */
const ENTRIES = [
  ...entriesOf(600),
  markEntry({ type: "changefeed.audit.gap", fromSeq: 600, nextSeq: 700, reason: "expired" }),
  ...Array.from({ length: 300 }, (_, at) => eventEntry(700 + at)),
  markEntry({ type: "changefeed.audit.epoch", epoch: "e2", nextSeq: 5 }),
  ...Array.from({ length: 200 }, (_, at) => eventEntry(5 + at, "e2")),
  markEntry({ type: "changefeed.audit.epoch", epoch: "e2", nextSeq: 100 }),
  ...Array.from({ length: 10 }, (_, at) => eventEntry(100 + at, "e2", { again: true })),
];
const key = ["--key", KEY.verifierKey];

let home: string;
let trail: string;
let proofFile: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "audit-prove-"));
  trail = join(home, "trail");
  proofFile = join(home, "event.tlog-proof");
  await writeTrail(trail, ENTRIES);
});
afterAll(() => rm(home, { recursive: true }));

async function run(...args: readonly string[]) {
  return runCli(["audit", ...args]);
}

async function changed(file: string, from: string | RegExp, to: string): Promise<string> {
  const other = `${file}.changed`;
  const text = await readFile(file, "utf8");
  expect(text).toMatch(from);
  await writeFile(other, text.replace(from, to));
  return other;
}

describe("a proof that an event is in the trail", () => {
  it.each([
    ["1", "e1-1"],
    ["599", "e1-599"],
    ["700", "e1-700"],
    ["999", "e1-999"],
    ["5", "e2-5"],
    ["e1-5", "e1-5"],
    ["e2-99", "e2-99"],
    ["204", "e2-204"],
    ["e2-150", "e2-150"],
  ])("%s is of %s, and is checked without the trail", async (event, cursor) => {
    const proof = await run("prove", event, trail, ...key);
    expect(proof).toMatchObject({ code: 0, stderr: "" });
    await writeFile(proofFile, proof.stdout);
    const { code, stdout, stderr } = await run("check", proofFile, ...key);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ cursor });
    expect(stderr).toMatch(/^proved: entry \d+ of the 1113 entries of example\.com\/nomad, signed by/);
  });

  it("is of the newest, where a number is there twice", async () => {
    const { stdout } = await run("prove", "e2-105", trail);
    await writeFile(proofFile, stdout);
    expect((await run("check", proofFile, ...key)).stdout).toContain('"again":true');
  });

  it.each(["650", "e1-650", "e2-4", "100000", "e3-1"])(
    "of %s, which is not there, is none",
    async (event) => {
      const { code, stderr } = await run("prove", event, trail);
      expect(code).toBe(3);
      expect(stderr).toContain(`The trail has no event ${event} among the 1113 entries of its checkpoint`);
    },
  );

  it("with anything changed does not prove", async () => {
    await writeFile(proofFile, (await run("prove", "300", trail)).stdout);
    const { stdout } = await run("prove", "301", trail);
    const [, extra = ""] = /^extra (.*)$/m.exec(stdout) ?? [];
    for (const other of [
      await changed(proofFile, /^index 300$/m, "index 301"),
      await changed(proofFile, /^extra .*$/m, `extra ${extra}`),
      await changed(proofFile, "\n1113\n", "\n1114\n"),
      await changed(proofFile, /\n[^\n]+\n\n/, "\n\n"),
    ]) {
      const { code, stdout: said } = await run("check", other, ...key);
      expect(code).toBe(3);
      expect(said).toBe("");
    }
  });

  it("does not prove with another key, and is not checked without one", async () => {
    await writeFile(proofFile, (await run("prove", "300", trail)).stdout);
    const other = ["--key", generateNoteKey(ORIGIN).verifierKey];
    expect(await run("check", proofFile, ...other)).toMatchObject({ code: 3, stdout: "" });
    expect(await run("check", proofFile)).toMatchObject({ code: 2, stdout: "" });
    expect(await run("prove", "300", trail, ...other)).toMatchObject({ code: 3, stdout: "" });
  });

  it("is not made of a trail that was changed", async () => {
    const damaged = join(home, "damaged");
    await cp(trail, damaged, { recursive: true });
    const tile = await readFile(join(damaged, "tile/0/001"));
    tile[500] = (tile[500] ?? 0) ^ 1;
    await writeFile(join(damaged, "tile/0/001"), tile);
    const { code, stdout, stderr } = await run("prove", "300", damaged);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toContain("Entry 300 does not hash to the root of the trail's checkpoint");
  });

  it("is asked for by a sequence or a cursor", async () => {
    const { code, stderr } = await run("prove", "job/web", trail);
    expect(code).toBe(2);
    expect(stderr).toContain("allowed: a sequence, such as 4711, or a cursor");
  });
});

describe("a proof that the trail only grew", () => {
  let kept: string;
  let grown: string;

  beforeAll(async () => {
    kept = join(home, "kept");
    grown = join(home, "grown");
    await writeTrail(join(home, "older"), ENTRIES.slice(0, 300));
    await cp(join(home, "older", "checkpoint"), kept);
    await writeFile(grown, (await run("consistency", kept, trail, ...key)).stdout);
  });

  it("is what a witness takes, and is checked without the trail", async () => {
    expect(await readFile(grown, "utf8")).toMatch(
      /^old 300\n(?:[\w+/]{43}=\n)+\nexample\.com\/nomad\n1113\n/,
    );
    const { code, stdout } = await run("check", grown, "--against", kept, ...key);
    expect(code).toBe(0);
    expect(stdout).toContain(`proved: the 300 entries of ${kept} are the beginning of the 1113 entries`);
  });

  it("with anything changed does not prove", async () => {
    for (const other of [
      await changed(grown, "old 300", "old 299"),
      await changed(grown, /\n[^\n]+\n\n/, "\n\n"),
      await changed(grown, "\n1113\n", "\n1114\n"),
    ])
      expect(await run("check", other, "--against", kept, ...key)).toMatchObject({ code: 3, stdout: "" });
    expect(await run("check", grown, ...key)).toMatchObject({ code: 2 });
  });

  it("is not made of a trail that was set back, written anew, or another", async () => {
    const other = join(home, "another");
    await writeTrail(other, ENTRIES.slice(0, 200));
    expect((await run("consistency", kept, other)).stderr).toContain(
      "The trail was set back: it has 200 entries",
    );
    await writeTrail(other, ENTRIES.with(7, eventEntry(7, "e1", { other: true })));
    const { code, stderr } = await run("consistency", kept, other);
    expect(code).toBe(3);
    expect(stderr).toContain("does not begin with the 300 entries of the kept checkpoint");
    await writeTrail(other, ENTRIES, { origin: "example.com/other" });
    expect((await run("consistency", kept, other)).stderr).toContain("This is the trail example.com/other");
  });
});

describe("a key", () => {
  it("is written for its owner alone, and never over another", async () => {
    const file = join(home, "audit.key");
    const { code, stdout } = await run("keygen", ORIGIN, "--out", file);
    expect(code).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const privateKey = await readFile(file, "utf8");
    expect(privateKey).toMatch(/^PRIVATE\+KEY\+example\.com\/nomad\+[0-9a-f]{8}\+[\w+/]+=*\n$/);
    await writeTrail(join(home, "its"), entriesOf(3), { keys: [privateKey.trim()] });
    expect(await run("verify", join(home, "its"), "--key", stdout.trim())).toMatchObject({ code: 0 });
    const again = await run("keygen", ORIGIN, "--out", file);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain(`nomad-changefeed audit vkey file:${file} prints its public key`);
    expect(await run("vkey", `file:${file}`)).toEqual({ code: 0, stdout, stderr: "" });
    expect(await readFile(file, "utf8")).toBe(privateKey);
  });

  it("that is none is refused, with the reason", async () => {
    expect(await run("keygen", "a b", "--out", join(home, "no.key"))).toMatchObject({ code: 2 });
    const bare = await run("vkey", "audit.key");
    expect(bare).toMatchObject({ code: 2 });
    expect(bare.stderr).toContain("the private key is not allowed; allowed: env:NAME or file:PATH");
    const { code, stderr } = await run("verify", trail, "--key", "example.com/nomad");
    expect(code).toBe(2);
    expect(stderr).toContain("The public key for the audit trail cannot be used");
    expect(stderr).toContain('and no file: --key "$(cat audit.vkey)"');
  });
});

import { existsSync } from "node:fs";
import promises, { cp, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openAudit } from "../../src/publishers/audit/audit.ts";
import { MemberWriter } from "../../src/publishers/audit/gzip-member.ts";
import type { Destination, Outgoing, SendResult } from "../../src/publishers/delivery/destination.ts";
import { auditSettingsSchema } from "../../src/schemas/destinations/audit.ts";
import { destinationDeps } from "../support/destination-deps.ts";
import { runCli } from "../support/cli.ts";
import { askGoVerifier, buildGoVerifier } from "../support/go-verifier.ts";
import { TestFeed } from "../support/http-feed.ts";
import { outgoing } from "../support/outgoing.ts";
import { skippedBecause } from "../support/skipped.ts";
import { entriesOf, eventEntry, KEY, markEntry, writeTrail } from "../support/written-trail.ts";

const { lacks } = buildGoVerifier();
const key = ["--key", KEY.verifierKey];
const PER_DAY = 150;
const LARGE = new Set([5, 20, 700]);
const GAP = markEntry({ type: "changefeed.audit.gap", fromSeq: 256, nextSeq: 300, reason: "expired" });
const EPOCH = markEntry({ type: "changefeed.audit.epoch", epoch: "e2", nextSeq: 1 });
const BEFORE = ["--before", "2025-01-05T00:00:00Z"];

let home: string;
let whole: string;
let kept: string;
let trail: string;

/** 150 a day from 2025-01-01 on; the large one of the first day has the same data as a late one. */
function recorded(number: number): Outgoing {
  const day = String(1 + Math.floor((number - 1) / PER_DAY)).padStart(2, "0");
  const text = (number === 20 ? "y" : "x").repeat(70_000);
  const event = outgoing(number, LARGE.has(number) ? { data: { op: "update", text } } : {});
  const recordedtime = `"recordedtime":"2025-01-${day}T12:00:00Z"`;
  return { ...event, json: event.json.replace('"datacontenttype"', `${recordedtime},"datacontenttype"`) };
}

function numbered(from: number, to: number): Outgoing[] {
  return Array.from({ length: to - from + 1 }, (_, at) => recorded(from + at));
}

async function open(directory: string, source = "nomad://prod/global"): Promise<Destination> {
  const settings = auditSettingsSchema.parse({ type: "audit", directory, key: "env:AUDIT_KEY" });
  return openAudit(settings, destinationDeps({ source, readSecret: () => KEY.privateKey }));
}

async function send(directory: string, ...batches: Outgoing[][]): Promise<SendResult[]> {
  await using destination = await open(directory);
  const results: SendResult[] = [];
  for (const batch of batches) results.push(await destination.send(batch, AbortSignal.timeout(60_000)));
  return results;
}

const run = (...args: readonly string[]) => runCli(["audit", ...args]);
const prune = () => run("prune", trail, ...BEFORE, ...key);
const there = (path: string) => existsSync(join(trail, path));

/** Entry 0 is the genesis: entry n is event n. */
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "audit-prune-"));
  whole = join(home, "whole");
  trail = join(home, "trail");
  kept = join(home, "kept");
  await mkdir(whole);
  await send(whole, numbered(1, 600));
  await cp(join(whole, "checkpoint"), kept);
  await send(whole, numbered(601, 1000));
  const longAgo = new Date("2025-01-08T00:00:00Z");
  for (const name of await readdir(join(whole, "objects")))
    await utimes(join(whole, "objects", name), longAgo, longAgo);
});
afterAll(() => rm(home, { recursive: true }));

beforeEach(async () => {
  await rm(trail, { recursive: true, force: true });
  await cp(whole, trail, { recursive: true, preserveTimestamps: true });
});

describe("a trail that was pruned", () => {
  it("has lost the bundles, daily files and data of before that time alone, and verifies", async () => {
    const { code, stdout, stderr } = await prune();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("removed 512 entries");
    expect(stdout).toContain("3 daily files and 1 objects; entries 512 to 1000 are kept, and all hashes");
    expect((await readdir(join(trail, "tile/entries"))).toSorted()).toEqual(["002", "003.p"]);
    expect((await readdir(join(trail, "tile/0"))).toSorted()).toEqual(["000", "001", "002", "003.p"]);
    expect((await readdir(join(trail, "daily")))[0]).toBe("2025-01-04.jsonl.gz");
    expect(await readdir(join(trail, "objects"))).toHaveLength(1);
    const verified = await run("verify", trail, ...key, "--against", kept);
    expect(verified).toMatchObject({ code: 0, stderr: "" });
    expect(verified.stdout).toContain("note: entries 0 to 511 were pruned: only their hashes are here");
    expect(verified.stdout).toContain("events      489 from event 512 on, no gaps, one epoch");
    expect(verified.stdout).toContain("verifies: every entry from 512 on and every tile hashes to");
    expect(verified.stdout).toContain("begins with the 601 entries of the kept checkpoint");
  });

  it("says how much in JSON, and is pruned again without harm", async () => {
    await prune();
    expect((await prune()).stdout).toContain("removed 0 entries");
    const { stdout } = await run("verify", trail, ...key, "--json");
    expect(JSON.parse(stdout)).toMatchObject({ verified: true, pruned: 512, size: 1001, dailyEntries: 1001 });
  });

  it("keeps its newest bundle of events, whatever the time", async () => {
    expect((await run("prune", trail, "--before", "0s")).stdout).toContain("entries 768 to 1000 are kept");
    expect(await run("verify", trail, ...key)).toMatchObject({ code: 0 });
  });

  it("begins with a bundle that tells of the epoch, also where only gaps follow", async () => {
    const gaps = Array.from({ length: 10 }, (_, at) =>
      markEntry({ type: "changefeed.audit.gap", fromSeq: 512 + at, nextSeq: 513 + at, reason: "expired" }),
    );
    await writeTrail(trail, [...entriesOf(512), ...gaps]);
    expect((await run("prune", trail, "--before", "0s")).stdout).toContain("entries 256 to 521 are kept");
    const next = { ...recorded(522), cursor: "e1-522" };
    const json = next.json.replace("reg100-522", "e1-522");
    expect(await send(trail, [{ ...next, json }])).toMatchObject([{ outcome: "ok" }]);
    expect(await run("verify", trail, ...key)).toMatchObject({ code: 0 });
  });

  it("is written on, after a restart too, and its daily files are made anew from the first that is kept", async () => {
    await prune();
    await rm(join(trail, "daily"), { recursive: true });
    expect(await send(trail, numbered(990, 1100), numbered(1101, 1200))).toMatchObject([
      { outcome: "ok" },
      { outcome: "ok" },
    ]);
    const { code, stdout } = await run("verify", trail, ...key, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ pruned: 512, size: 1201, dailyEntries: 1201, events: 689 });
  });

  it("may be pruned while a writer has it", async () => {
    await using destination = await open(trail);
    const sent = (...range: [number, number]) =>
      destination.send(numbered(...range), AbortSignal.timeout(60_000));
    expect(await sent(1001, 1010)).toMatchObject({ outcome: "ok" });
    expect(await prune()).toMatchObject({ code: 0 });
    expect(await sent(1011, 1300)).toMatchObject({ outcome: "ok" });
    expect(await run("verify", trail, ...key)).toMatchObject({ code: 0 });
  });

  it("verifies where it is served, too", async () => {
    await prune();
    await using feed = await TestFeed.open();
    const { url } = await feed.serve({}, { trails: () => [{ name: "audit", directory: trail }] });
    const verified = await run("verify", `${url}/v1/audit/`, ...key, "--against", kept, "--json");
    expect(verified).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(verified.stdout)).toMatchObject({
      verified: true,
      pruned: 512,
      size: 1001,
      events: 489,
    });
    await rm(join(trail, "tile/entries/003.p"), { recursive: true });
    const broken = await run("verify", `${url}/v1/audit/`, ...key, "--json");
    expect(broken.code).toBe(3);
    expect(JSON.parse(broken.stdout)).toMatchObject({
      pruned: 512,
      findings: [{ kind: "missing", index: 768 }],
    });
  });

  it("is still of its feed, and of no other", async () => {
    await prune();
    await using destination = await open(trail, "nomad://other/global");
    expect(await destination.send(numbered(1001, 1002), AbortSignal.timeout(60_000))).toMatchObject({
      outcome: "refused",
      reason: expect.stringMatching(
        /^AUDIT_TRAIL_OF_ANOTHER: .* is of the feed nomad:\/\/prod\/global/,
      ) as string,
    });
  });

  it("is reported and proved from the first that is kept; of what was pruned it says so", async () => {
    const before = await run("prove", "7", trail);
    await prune();
    const proof = join(home, "proof");
    for (const event of ["512", "767", "1000", "reg100-600"]) {
      await writeFile(proof, (await run("prove", event, trail, ...key)).stdout);
      expect(await run("check", proof, ...key)).toMatchObject({ code: 0 });
    }
    for (const event of ["7", "511", "reg100-7"]) {
      const { code, stderr } = await run("prove", event, trail);
      expect(code).toBe(3);
      expect(stderr).toContain(`The event ${event} was pruned: of entries 0 to 511 only the hashes are here`);
    }
    await writeFile(proof, before.stdout);
    expect(await run("check", proof, ...key)).toMatchObject({ code: 0 });
    const keyFile = join(home, "key");
    await writeFile(keyFile, KEY.privateKey);
    const report = await run("report", trail, "--object", "job/web", "--sign-with", `file:${keyFile}`);
    expect(report).toMatchObject({ code: 0 });
    expect(report.stdout).toContain("what was before was pruned");
  });

  it.skipIf(lacks !== undefined)(
    `has proofs that the Go project's tlog accepts, also since a checkpoint of before${skippedBecause(lacks)}`,
    async () => {
      await prune();
      const [proof, grown] = [join(home, "go-proof"), join(home, "grown")];
      for (const event of ["512", "1000"]) {
        await writeFile(proof, (await run("prove", event, trail)).stdout);
        expect(askGoVerifier("inclusion", proof, KEY.verifierKey)).toMatchObject({ accepts: true });
      }
      await writeFile(grown, (await run("consistency", kept, trail)).stdout);
      expect(askGoVerifier("consistency", grown, kept, KEY.verifierKey)).toMatchObject({ accepts: true });
    },
  );
});

describe("damage to a pruned trail is found:", () => {
  async function flip(path: string, at: number): Promise<void> {
    const bytes = await readFile(join(trail, path));
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(join(trail, path), bytes);
  }

  /** The daily file with entries 451 to 600, the first of which were pruned. */
  async function respell(index: number): Promise<void> {
    const path = join(trail, "daily/2025-01-04.jsonl.gz");
    const lines = gunzipSync(await readFile(path))
      .toString()
      .trimEnd()
      .split("\n");
    const changed = lines.with(index - 451, String(lines[index - 451]).replace("web", "wed"));
    using members = new MemberWriter();
    await writeFile(path, await members.write(451, changed.length, Buffer.from(`${changed.join("\n")}\n`)));
  }

  const gone = (path: string) => rm(join(trail, path), { recursive: true });

  it.each<[string, object, () => Promise<void>]>([
    [
      "a hole behind the first that is kept",
      { kind: "missing", index: 768 },
      () => gone("tile/entries/003.p"),
    ],
    [
      "a hash of a pruned entry",
      { kind: "tile", path: "tile/0/001", message: expect.stringMatching(/Entries 256 to 511 were pruned/) },
      () => flip("tile/0/001", 100),
    ],
    ["a tile of pruned entries gone", { kind: "changed", path: "tile/0/001" }, () => gone("tile/0/001")],
    ["an entry", { kind: "changed", index: 512 }, () => flip("tile/entries/002", 100)],
    ["a line of a pruned entry", { kind: "daily", index: 455 }, () => respell(455)],
    ["a line of an entry", { kind: "daily", index: 513 }, () => respell(513)],
  ])("%s", async (_, finding, tamper) => {
    await prune();
    await tamper();
    const { code, stdout } = await run("verify", trail, ...key, "--json");
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ findings: [finding] });
    const again = await run("prune", trail, "--before", "0s");
    expect(again.code).toBe(3);
    expect(again.stderr).toContain("does not verify, and nothing was removed");
  });

  it("a bundle in the middle gone", async () => {
    await gone("tile/entries/000");
    await gone("tile/entries/002");
    const { code, stdout } = await run("verify", trail, ...key, "--json");
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ pruned: 256, findings: [{ kind: "missing", index: 512 }] });
  });

  it("all bundles gone", async () => {
    await writeTrail(trail, entriesOf(512));
    await gone("tile/entries");
    const { code, stdout } = await run("verify", trail, ...key, "--json");
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ findings: [{ kind: "missing", index: 256 }] });
  });

  it.each<[string, Buffer[], object]>([
    ["a gap", [GAP, eventEntry(300)], { gaps: 1, missingEvents: 44, epochs: 1, events: 1 }],
    [
      "a gap, and not the event after it",
      [GAP, eventEntry(301)],
      { findings: [{ index: 257, kind: "missing" }] },
    ],
    ["a new epoch", [EPOCH, eventEntry(1, "e2")], { epochs: 1, events: 1, findings: [] }],
    [
      "an event, and not the next",
      [eventEntry(256), eventEntry(258)],
      { findings: [{ index: 257, kind: "missing" }] },
    ],
    ["no entry of a trail", [Buffer.from("{}")], { findings: [{ index: 256, kind: "malformed" }] }],
    ["a second beginning", entriesOf(2), { findings: [{ index: 256, kind: "malformed" }] }],
  ])("what is kept begins with %s", async (_, entries, verdict) => {
    await writeTrail(trail, [...entriesOf(256), ...entries]);
    await rm(join(trail, "tile/entries/000"));
    const { stdout } = await run("verify", trail, ...key, "--json");
    expect(JSON.parse(stdout)).toMatchObject({ pruned: 256, ...verdict });
  });
});

describe("audit prune", () => {
  it("that was killed is done again", async () => {
    await rm(join(trail, "tile/entries/000"));
    expect((await prune()).stdout).toContain("removed 256 entries");
    expect(await run("verify", trail, ...key)).toMatchObject({ code: 0 });
  });

  it("waits for daily files that are behind, as they are written from the entries", async () => {
    for (const day of (await readdir(join(trail, "daily"))).filter((name) => name > "2025-01-02"))
      await rm(join(trail, "daily", day));
    const { code, stderr } = await prune();
    expect(code).toBe(3);
    expect(stderr).toContain("The daily files end before entry 151, and entries up to 511 would go");
    expect(there("tile/entries/000")).toBe(true);
  });

  it.each(["before", "after"])(
    "leaves data that a writer enters anew %s it was taken out of his way",
    async (when) => {
      await using destination = await open(trail);
      const event = outgoing(1001, { data: { op: "update", text: "y".repeat(70_000) } });
      const enter = () => destination.send([event], AbortSignal.timeout(60_000));
      const said: string[] = [];
      using _ = onPruned(async (taken, rename) => {
        if (when === "before") said.push((await enter()).outcome);
        await rename();
        if (when === "after") said.push((await enter()).outcome);
        said.push(taken);
      });
      expect(await prune()).toMatchObject({ code: 0 });
      expect(said).toEqual(["ok", expect.stringMatching(/objects/)]);
      expect((await readdir(join(trail, "objects"))).filter((name) => name.length !== 64)).toEqual([]);
      const { code, stdout } = await run("verify", trail, ...key, "--json");
      expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({ code: 0, size: 1002 });
    },
  );

  it("that was killed while it had data aside puts that back", async () => {
    const [name = ""] = await readdir(join(trail, "objects"));
    await promises.rename(join(trail, "objects", name), join(trail, "objects", `${name}.pruned`));
    expect(await prune()).toMatchObject({ code: 0 });
    expect(await run("verify", trail, ...key)).toMatchObject({ code: 0 });
    expect((await readdir(join(trail, "objects"))).map((each) => each.length)).toEqual([64]);
  });

  it("goes by an event too", async () => {
    for (const event of ["600", "reg100-513"])
      expect((await run("prune", trail, "--before-seq", event, "--dry-run")).stdout).toContain(
        `would remove 512 entries, all before event ${event}, 3 daily files and 1 objects; entries 512 to 1000`,
      );
    expect(there("tile/entries/000")).toBe(true);
    expect((await run("prune", trail, "--before-seq", "300")).stdout).toContain("removed 256 entries");
    expect(await run("verify", trail, ...key)).toMatchObject({ code: 0 });
    const { code, stderr } = await run("prune", trail, "--before-seq", "5000");
    expect(code).toBe(3);
    expect(stderr).toContain("The trail has no event 5000");
  });

  it("says what its check is worth without a key", async () => {
    const { code, stderr } = await run("prune", trail, ...BEFORE, "--dry-run");
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: "note: no --key was given: whoever can write the trail could have signed it\n",
    });
  });

  it("says before what it would remove, and removes nothing then", async () => {
    const before = await readdir(trail, { recursive: true });
    const { stdout } = await run("prune", trail, ...BEFORE, "--dry-run");
    expect(await readdir(trail, { recursive: true })).toEqual(before);
    expect((await prune()).stdout).toBe(stdout.replace("would remove", "removed"));
  });

  it("leaves data that is new, for whoever enters its event", async () => {
    for (const name of await readdir(join(trail, "objects")))
      await utimes(join(trail, "objects", name), new Date(), new Date());
    expect((await prune()).stdout).toContain("and 0 objects");
  });

  it.each([
    [["--before", "soon"], 2, '--before: "soon" is not allowed; allowed: an age such as 400d'],
    [[], 2, "--before is missing, or --before-seq in its place"],
    [["--before", "1d", "--before-seq", "9"], 2, "give one of them"],
    [["--before-seq", "nine"], 2, '"nine" names no event; allowed: a sequence'],
    [["--before", "1d", "--key", "x"], 2, "The public key for the audit trail cannot be used"],
  ])("with %j says what is allowed", async (flags, code, says) => {
    const said = await run("prune", trail, ...flags);
    expect(said.code).toBe(code);
    expect(said.stderr).toContain(says);
  });
});

/** Does something in place of taking data out of the writer's way. */
function onPruned(instead: (taken: string, rename: () => Promise<void>) => Promise<void>): Disposable {
  const original = promises.rename;
  promises.rename = async (from, to) => {
    const rename = () => original(from, to);
    await (String(to).endsWith(".pruned") ? instead(String(from), rename) : rename());
  };
  syncBuiltinESMExports();
  return {
    [Symbol.dispose]: () => {
      promises.rename = original;
      syncBuiltinESMExports();
    },
  };
}

import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Change } from "../../src/schemas/change.ts";
import { generateNoteKey } from "../../src/tlog/note-keys.ts";
import { bundlePath } from "../../src/tlog/tiles.ts";
import { entriesOf, KEY, markEntry, ORIGIN, write, writeTrail } from "../support/written-trail.ts";
import { runCli } from "../support/cli.ts";
import { changeOf, SAMPLES } from "../support/event-fixtures.ts";
import { TestFeed } from "../support/http-feed.ts";
import { loggedEvents } from "../support/logged-events.ts";
import { HOSTILE_NAME, steeringIn } from "../support/terminal.ts";
import { TestClock } from "../support/test-clock.ts";

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 10, 29, 6);
const [GENESIS = Buffer.alloc(0)] = entriesOf(1);
const OTHER = generateNoteKey(ORIGIN);

let directory: string;
let trail: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ncf-report-"));
  trail = join(directory, "trail");
});
afterEach(() => rmSync(directory, { recursive: true }));

function event(change: Change, daysAgo: number, sequence: number): Buffer {
  const [only] = loggedEvents(change, NOW_MS - daysAgo * DAY_MS, sequence);
  return Buffer.from(only?.json ?? "");
}

function job(id: string, status: string, namespace = "default"): Change {
  const before = { ...SAMPLES.jobs, ID: id, Name: id, Namespace: namespace };
  return changeOf("jobs", before, { ...before, Status: status, ModifyIndex: 99 });
}

async function reported(...flags: string[]) {
  return runCli(["audit", "report", trail, "--sign-with", "env:TRAIL_KEY", ...flags], {
    env: { TRAIL_KEY: KEY.privateKey },
    clock: new TestClock(NOW_MS),
  });
}

/** What the table of a report has, by index. */
function rowsOf(report: string): [index: number, text: string][] {
  const table = /\n *index {2}what the trail says\n([^]*?)\n\nMade from/.exec(report)?.[1] ?? "";
  return table.split("\n").flatMap((line) => {
    const [, index, text = ""] = /^ *(\d+) {2}(.*)$/.exec(line) ?? [];
    return index === undefined ? [] : [[Number(index), text]];
  });
}

async function check(report: string, ...keys: string[]) {
  const file = join(directory, "web.report");
  writeFileSync(file, report);
  return runCli(["audit", "report", "--check", file, ...keys.flatMap((key) => ["--key", key])]);
}

describe("a report of one object", () => {
  const ENTRIES = [
    GENESIS,
    event(job("web", "dead"), 50, 1),
    event(job("db", "dead"), 40, 2),
    markEntry({ type: "changefeed.audit.gap", fromSeq: 3, nextSeq: 5, reason: "retention took them" }),
    event(job("web", "running"), 20, 5),
    event(job("web", "pending", "prod"), 10, 6),
    event(job("webber", "dead"), 5, 7),
  ];

  it("has the lines of its time and what is missing in it, and is good until a letter of it is changed", async () => {
    await writeTrail(trail, ENTRIES);
    const { code, stdout, stderr } = await reported("--object", "job/web", "--since", "30d");
    expect([code, stderr]).toEqual([0, ""]);
    expect(rowsOf(stdout)).toEqual([
      [3, "-- events 3 to 4 are missing: retention took them"],
      [4, expect.stringMatching(/^2026-11-09T06:00:00Z .* web {2}default/)],
      [5, expect.stringMatching(/^2026-11-19T06:00:00Z .* web {2}prod/)],
    ]);
    expect(stdout).toContain("found      2 events, gaps 1\n");
    expect(stdout).toContain("since      2026-10-30T06:00:00Z\n");
    expect(stdout).toContain("read       entries 0 to 6; they hash to the root below\n");
    expect(stdout).toContain(readFileSync(join(trail, "checkpoint"), "utf8"));
    const good = await check(stdout, KEY.verifierKey);
    expect(good.code).toBe(0);
    expect(good.stdout).toContain(`the signed checkpoint of ${ORIGIN} with 7 entries`);
    for (const forged of [stdout.replace("retention", "nobody"), stdout.replace(/ +5 {2}.*\n/, "")]) {
      expect(forged).not.toBe(stdout);
      expect(await check(forged, KEY.verifierKey)).toMatchObject({
        code: 3,
        stderr: expect.stringContaining("The signature of example.com") as string,
      });
    }
    expect((await check(stdout, OTHER.verifierKey)).code).toBe(3);
  });

  it("is of one namespace where that is said, and says where there is nothing", async () => {
    await writeTrail(trail, ENTRIES);
    const prod = await reported("--object", "job/web", "--namespace", "prod");
    expect(rowsOf(prod.stdout).map(([index]) => index)).toEqual([0, 3, 5]);
    const nothing = await reported("--object", "job/none", "--since", "1h");
    expect(nothing.stdout).toContain("found      0 events, no gaps\n");
    expect((await check(nothing.stdout, KEY.verifierKey)).code).toBe(0);
  });

  it("reads a trail that is served, and refuses one whose entries are not those that were signed", async () => {
    await writeTrail(trail, ENTRIES);
    const text = readFileSync(join(trail, bundlePath({ index: 0, width: 7 })), "latin1");
    await using feed = await TestFeed.open();
    const { url } = await feed.serve({}, { trails: () => [{ name: "audit", directory: trail }] });
    const served = await runCli(
      ["audit", "report", `${url}/v1/audit/`, "--object", "job/web", "--sign-with", "env:TRAIL_KEY"],
      { env: { TRAIL_KEY: KEY.privateKey } },
    );
    expect(rowsOf(served.stdout).map(([index]) => index)).toEqual([0, 1, 3, 4, 5]);
    writeFileSync(
      join(trail, bundlePath({ index: 0, width: 7 })),
      text.replace("webber", "webbed"),
      "latin1",
    );
    expect(await reported("--object", "job/web")).toMatchObject({
      code: 3,
      stdout: "",
      stderr: expect.stringContaining("do not hash to the root of its checkpoint") as string,
    });
  });

  it("reads the data of an event that was too large for its entry, and says where it is gone", async () => {
    const json = event(job("web", "dead"), 1, 1).toString();
    const { data, ...rest } = JSON.parse(json) as { data: object };
    const text = JSON.stringify(data);
    const datasha256 = createHash("sha256").update(text).digest("hex");
    const detached = { ...rest, datasha256, datasize: text.length, dataref: `objects/${datasha256}` };
    await writeTrail(trail, [GENESIS, Buffer.from(JSON.stringify(detached))]);
    await write(trail, `objects/${datasha256}`, text);
    const [, kept] = rowsOf((await reported("--object", "job/web")).stdout);
    expect(kept).toEqual([1, expect.stringMatching(/web {2}default {2}Status running → dead/)]);
    rmSync(join(trail, "objects"), { recursive: true });
    const [, gone] = rowsOf((await reported("--object", "job/web")).stdout);
    expect(gone).toEqual([1, expect.stringContaining(`objects/${datasha256} is not kept any more`)]);
  });

  it("of a pruned trail begins with what is left", async () => {
    const entries = [
      GENESIS,
      ...Array.from({ length: 600 }, (_, at) => event(job("web", "dead"), 9, at + 1)),
    ];
    await writeTrail(trail, entries);
    for (const path of ["tile/entries/000", "tile/0/000"]) rmSync(join(trail, path));
    const { stdout } = await reported("--object", "job/web");
    expect(stdout).toContain("entries 256 to 600; they hash to the root below; what was before was pruned\n");
    expect(rowsOf(stdout)).toHaveLength(345);
  });

  it("shows no name that steers a terminal", async () => {
    await writeTrail(trail, [GENESIS, event(job(HOSTILE_NAME, "dead"), 1, 1)]);
    const { stdout } = await reported("--object", `job/${HOSTILE_NAME}`);
    expect(rowsOf(stdout)).toHaveLength(2);
    expect(steeringIn(stdout)).toEqual([]);
    expect((await check(stdout, KEY.verifierKey)).code).toBe(0);
  });

  it("needs a key that is none of a flag's, an object and a trail", async () => {
    await writeTrail(trail, ENTRIES);
    const told = async (...args: string[]) => {
      const { code, stderr } = await runCli(["audit", "report", ...args]);
      expect(code).toBe(2);
      return stderr;
    };
    expect(await told()).toContain("Say the directory, or the address, of the trail");
    expect(await told(trail)).toContain("Say --object");
    expect(await told(trail, "--object", "job/web")).toContain("Say --sign-with");
    expect(await told(trail, "--object", "job/web", "--sign-with", KEY.privateKey)).not.toContain(
      KEY.privateKey,
    );
    expect(await told("--check", "x")).toContain("Say --key");
  });
});

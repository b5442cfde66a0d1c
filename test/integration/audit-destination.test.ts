import { spawn } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { constants, gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openAudit } from "../../src/publishers/audit/audit.ts";
import type { Destination, Outgoing, SendResult } from "../../src/publishers/delivery/destination.ts";
import { auditSettingsSchema } from "../../src/schemas/destinations/audit.ts";
import { systemClock, type Clock } from "../../src/shared/clock.ts";
import { generateNoteKey } from "../../src/tlog/note-keys.ts";
import { destinationDeps } from "../support/destination-deps.ts";
import { readWholeTrail } from "../support/audit-trail.ts";
import { outgoing } from "../support/outgoing.ts";
import { killed, own } from "../support/own-processes.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { skippedBecause } from "../support/skipped.ts";
import { smallDisk, smallDiskMissing } from "../support/small-disk.ts";
import { TestClock } from "../support/test-clock.ts";
import { until } from "../support/until.ts";

const ORIGIN = "example.com/nomad";
const WRITER = fileURLToPath(new URL("../support/audit-writer.ts", import.meta.url));
const key = generateNoteKey(ORIGIN);

let directory: string;
const opened: Destination[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ncf-audit-"));
});
afterEach(async () => {
  await closeAll();
  rmSync(directory, { recursive: true });
});

interface Given {
  readonly keys?: readonly string[];
  readonly source?: string;
  readonly daily?: boolean;
  readonly clock?: Clock;
}

async function open({
  keys = [key.privateKey],
  source,
  daily = true,
  clock,
}: Given = {}): Promise<Destination> {
  const references = keys.map((_, at) => `env:KEY_${at}`);
  const settings = auditSettingsSchema.parse({ type: "audit", directory, key: references, daily });
  const readSecret = (reference: string) => keys[references.indexOf(reference)] ?? "";
  const { logger } = recordingLogger();
  const deps = destinationDeps({
    name: "audit",
    readSecret,
    logger,
    ...(source !== undefined && { source }),
    ...(clock !== undefined && { clock }),
  });
  const destination = await openAudit(settings, deps);
  opened.push(destination);
  return destination;
}

async function closeAll(): Promise<void> {
  await Promise.all(opened.splice(0).map((destination) => destination[Symbol.asyncDispose]()));
}

const send = (destination: Destination, ...batch: Outgoing[]): Promise<SendResult> =>
  destination.send(batch, AbortSignal.timeout(60_000));

function numbered(from: number, to: number): Outgoing[] {
  return Array.from({ length: to - from + 1 }, (_, at) => outgoing(from + at));
}

const whole = (verifierKey = key.verifierKey) => readWholeTrail(directory, verifierKey);

/** Of all daily files, also while one is being written. */
function dailyLines(): string[] {
  const files = readdirSync(join(directory, "daily")).toSorted();
  const bytes = files.map((file) => readFileSync(join(directory, "daily", file)));
  const texts = bytes.map((each) => gunzipSync(each, { finishFlush: constants.Z_SYNC_FLUSH }).toString());
  return texts.join("").split("\n").slice(0, -1);
}

/** A trail of events 1 to `last`, that nobody writes. */
async function written(last: number): Promise<void> {
  expect(await send(await open(), ...numbered(1, last))).toMatchObject({ outcome: "ok" });
  await closeAll();
}

const refusedAs = (code: string, about: string) => ({
  outcome: "refused",
  why: "config",
  reason: expect.stringMatching(new RegExp(`^${code}: .*${about}`, "s")) as string,
});

test("what it creates is its owner's alone", async () => {
  await written(300);
  const paths = readdirSync(directory, { recursive: true, withFileTypes: true });
  const modes = paths.map((path) => [path.name, statSync(join(path.parentPath, path.name)).mode & 0o077]);
  // SQLite makes the lock, which is empty.
  expect(modes.filter(([name, others]) => name !== "writer.lock" && others !== 0)).toEqual([]);
});

test("what is sent again is there once, whatever was sent with it, and by whom", async () => {
  const first = await open();
  await send(first, ...numbered(1, 5));
  await send(first, ...numbered(1, 5));
  await send(first, ...numbered(4, 7));
  await closeAll();
  await send(await open(), ...numbered(1, 300));
  await closeAll();
  const again = await open();
  expect(await send(again, ...numbered(1, 300))).toMatchObject({
    exchange: { answer: expect.stringMatching(/^0 entries/) },
  });
  expect(whole().events.map(({ json }) => json)).toEqual(numbered(1, 300).map(({ json }) => json));
});

test("keeps the partial tiles of every checkpoint until they are full, and no longer", async () => {
  const destination = await open();
  for (const number of [1, 2, 3]) await send(destination, outgoing(number));
  const partial = (folder: string) => readdirSync(join(directory, folder)).toSorted();
  expect([partial("tile/0/000.p"), partial("tile/entries/000.p")]).toEqual([
    ["2", "3", "4"],
    ["2", "3", "4"],
  ]);
  await send(destination, ...numbered(4, 300));
  await closeAll();
  expect([partial("tile/0"), partial("tile/entries")]).toEqual([
    ["000", "001.p"],
    ["000", "001.p"],
  ]);
});

test("an event that is too large for an entry has its data beside the tiles", async () => {
  const data = { text: "x".repeat(100_000) };
  const destination = await open();
  expect(await send(destination, outgoing(1), outgoing(2, { data }))).toMatchObject({ outcome: "ok" });
  const [, stub] = whole().events.map(({ json }) => JSON.parse(json) as Record<string, string>);
  expect(readFileSync(join(directory, stub?.["dataref"] ?? ""), "utf8")).toBe(JSON.stringify(data));
});

test("signs with all keys while one takes the other's place, and goes on with the new one alone", async () => {
  const next = generateNoteKey(ORIGIN);
  await written(3);
  for (const [last, keys] of [
    [5, [key, next]],
    [7, [next]],
  ] as const) {
    await send(await open({ keys: keys.map(({ privateKey }) => privateKey) }), ...numbered(1, last));
    await closeAll();
    for (const { verifierKey } of keys) expect(whole(verifierKey).events).toHaveLength(last);
  }
  expect(() => whole()).toThrow("Known:");
  const old = await open();
  expect(await send(old, ...numbered(1, 8))).toMatchObject(
    refusedAs("AUDIT_TRAIL_OF_ANOTHER", "Known: [^ ]+[^.]\\. Configure the key that signed it"),
  );
});

test("keys of two names are no keys of one trail", async () => {
  const keys = [key.privateKey, generateNoteKey("example.com/other").privateKey];
  await expect(open({ keys })).rejects.toMatchObject({
    code: "AUDIT_KEY_INVALID",
    message: expect.stringContaining("example.com/other"),
  });
});

test("a large batch lets everything else run between bundles", async () => {
  let pauses = 0;
  const pausing = async () => {
    pauses += 1;
    await systemClock.yield();
  };
  const audit = await open({ clock: { ...systemClock, yield: pausing } });
  expect(await send(audit, ...numbered(1, 2048))).toMatchObject({ outcome: "ok" });
  expect(pauses).toBeGreaterThanOrEqual(2048 / 256);
});

describe("a second writer", () => {
  test("of the same process is refused, and told of the directory; once the first is gone it goes on", async () => {
    const first = await open();
    await send(first, outgoing(1));
    const second = await open();
    expect(await send(second, ...numbered(1, 2))).toMatchObject(refusedAs("AUDIT_TRAIL_IN_USE", directory));
    expect(await send(first, outgoing(2))).toMatchObject({ outcome: "ok" });
    await first[Symbol.asyncDispose]();
    expect(await send(second, ...numbered(1, 3))).toMatchObject({ outcome: "ok" });
    expect(whole().events).toHaveLength(3);
  });

  test("of another process is refused, until that is killed, at whatever it does; no event is lost or there twice", async () => {
    let taken = 0;
    for (let round = 1; round <= 2; round += 1) {
      const child = own(
        spawn(process.execPath, [WRITER, directory, String(taken + 1), key.privateKey]),
        "audit writer",
      );
      const lines = createInterface(child.stdout);
      const told: string[] = [];
      lines.on("line", (line) => told.push(line));
      await until("it has entered some", () => told.length >= round * 3);
      const here = await open();
      expect(await send(here, outgoing(1))).toMatchObject(refusedAs("AUDIT_TRAIL_IN_USE", directory));
      await killed(child);
      taken = Math.max(taken, ...told.map(Number));
      const { events } = whole();
      expect(events.length).toBeGreaterThanOrEqual(taken);
      expect(events.map(({ json }) => json)).toEqual(numbered(1, events.length).map(({ json }) => json));
    }
    const here = await open();
    expect(await send(here, ...numbered(taken + 1, taken + 10))).toMatchObject({ outcome: "ok" });
    expect(whole().events).toHaveLength(taken + 10);
    await closeAll();
    expect(dailyLines()).toEqual(whole().entries);
  });

  test("that takes no heed of the lock is noticed before anything is signed", async () => {
    const destination = await open();
    await send(destination, outgoing(1));
    const checkpoint = readFileSync(join(directory, "checkpoint"));
    rmSync(join(directory, "checkpoint"));
    writeFileSync(join(directory, "checkpoint"), checkpoint);
    expect(await send(destination, outgoing(2))).toMatchObject(
      refusedAs("AUDIT_TRAIL_DAMAGED", "something else wrote"),
    );
    expect(whole().events).toHaveLength(1);
    expect(await send(destination, outgoing(2))).toMatchObject({ outcome: "ok" });
  });
});

test("signs nothing once it is told to stop", async () => {
  const destination = await open();
  await send(destination, outgoing(1));
  const stop = new AbortController();
  const sent = destination.send(numbered(2, 3000), stop.signal);
  stop.abort(new Error("fenced"));
  await expect(sent).rejects.toThrow("fenced");
  await destination[Symbol.asyncDispose]();
  expect(whole().events).toHaveLength(1);
  expect(await send(await open(), ...numbered(2, 10))).toMatchObject({ outcome: "ok" });
  expect(whole().events).toHaveLength(10);
});

describe("what it finds", () => {
  const overwrite = (path: string, change: (bytes: Buffer) => void) => {
    const bytes = readFileSync(join(directory, path));
    change(bytes);
    writeFileSync(join(directory, path), bytes);
  };
  const flip = (bytes: Buffer) => void (bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1);

  test("beyond the checkpoint, as a killed writer leaves it, is written over", async () => {
    await written(3);
    for (const path of ["tile/0/000.p/10", "tile/entries/000.p/10", "tile/0/000", "tile/entries/000"])
      writeFileSync(join(directory, path), "torn");
    const destination = await open();
    for (const last of [9, 300])
      expect(await send(destination, ...numbered(4, last))).toMatchObject({ outcome: "ok" });
    expect(whole().events).toHaveLength(300);
  });

  test.each([
    [
      "a tile that is cut off",
      "tile/0/000.p",
      () => truncateSync(join(directory, "tile/0/000.p/11"), 32 * 10),
    ],
    ["a tile that is gone", "tile/0/000.p", () => rmSync(join(directory, "tile/0/000.p/11"))],
    ["another tile", "do not hash to the root", () => overwrite("tile/0/000.p/11", flip)],
    ["another entry", "entry 10 .* does not hash", () => overwrite("tile/entries/000.p/11", flip)],
    [
      "a bundle that is cut off",
      "11 whole entries",
      () => truncateSync(join(directory, "tile/entries/000.p/11"), 100),
    ],
    [
      "a checkpoint of a tree that is not there",
      "000.p/11 is not there",
      () => rmSync(join(directory, "tile"), { recursive: true }),
    ],
    ["no checkpoint", "checkpoint is gone", () => rmSync(join(directory, "checkpoint"))],
    ["half a checkpoint", "cannot be read", () => truncateSync(join(directory, "checkpoint"), 40)],
  ])("is refused and left as it is where it is %s", async (_what, about, damage) => {
    await written(10);
    damage();
    const before = contents();
    expect(await send(await open(), ...numbered(1, 12))).toMatchObject(
      refusedAs("AUDIT_TRAIL_DAMAGED", about),
    );
    expect(contents()).toEqual(before);
  });

  test("is refused where it is an older copy of what this process signed", async () => {
    const destination = await open();
    await send(destination, ...numbered(1, 10));
    const copy = mkdtempSync(join(tmpdir(), "ncf-audit-copy-"));
    cpSync(directory, copy, { recursive: true });
    await send(destination, ...numbered(11, 20));
    copyFileSync(join(copy, "checkpoint"), join(directory, "checkpoint"));
    rmSync(copy, { recursive: true });
    await send(destination, ...numbered(21, 30));
    expect(await send(destination, ...numbered(21, 30))).toMatchObject(
      refusedAs("AUDIT_TRAIL_DAMAGED", "has 11 entries, and this process has signed 21"),
    );
  });

  test("is, of a copy that lacks events, told of with what brings them back; they make the same tree", async () => {
    await written(10);
    const signed = readFileSync(join(directory, "checkpoint"), "utf8");
    for (const path of readdirSync(directory)) rmSync(join(directory, path), { recursive: true });
    await written(4);
    const destination = await open();
    expect(await send(destination, ...numbered(11, 12))).toMatchObject(
      refusedAs("AUDIT_TRAIL_BEHIND", "deliveries replay audit --cursor reg100-4"),
    );
    expect(await send(destination, ...numbered(5, 10))).toMatchObject({ outcome: "ok" });
    expect(readFileSync(join(directory, "checkpoint"), "utf8")).toBe(signed);
  });

  test("is, where its directory is not there, told of with what makes it, and waited for", async () => {
    const destination = await open();
    rmSync(directory, { recursive: true });
    expect(await send(destination, outgoing(1))).toMatchObject(
      refusedAs("AUDIT_TRAIL_NOT_THERE", `${directory} .*mkdir.*mounted`),
    );
    expect(existsSync(directory)).toBe(false);
    mkdirSync(directory);
    expect(await send(destination, outgoing(1))).toMatchObject({ outcome: "ok" });
  });

  test("is refused where it is the trail of another feed", async () => {
    await written(3);
    const destination = await open({ source: "nomad://staging/global" });
    expect(await send(destination, outgoing(4))).toMatchObject(
      refusedAs("AUDIT_TRAIL_OF_ANOTHER", "nomad://prod/global"),
    );
  });

  /** Of all files but the lock, by their paths. */
  function contents(): Map<string, string> {
    const paths = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((path) =>
      path.isFile(),
    );
    const texts = paths
      .map((path) => join(path.parentPath, path.name))
      .filter((path) => !path.includes("writer.lock"));
    return new Map(texts.map((path) => [path, readFileSync(path, "latin1")]));
  }
});

describe("the daily files", () => {
  const recorded = (number: number, day: string) =>
    outgoing(number, {
      json: outgoing(number).json.replace('"data":', `"recordedtime":"${day}T23:59:59Z","data":`),
    });
  const folder = () => join(directory, "daily");
  const linesOf = (day: string) =>
    gunzipSync(readFileSync(join(folder(), `${day}.jsonl.gz`)))
      .toString()
      .trimEnd()
      .split("\n");
  const events = [
    ...[1, 2, 3].map((number) => recorded(number, "2026-11-28")),
    recorded(4, "2026-11-29"),
    // Of a worker whose clock is behind.
    recorded(5, "2026-11-28"),
    recorded(6, "2026-11-29"),
  ];

  async function enter(...batches: readonly Outgoing[][]): Promise<void> {
    const destination = await open();
    for (const batch of batches) expect(await send(destination, ...batch)).toMatchObject({ outcome: "ok" });
    await closeAll();
  }

  test("hold all entries in order, by the day on which they were recorded", async () => {
    await enter(events.slice(0, 2), events.slice(2, 5), events.slice(5));
    const { entries } = whole();
    expect([linesOf("2026-11-28"), linesOf("2026-11-29")]).toEqual([entries.slice(0, 4), entries.slice(4)]);
  });

  test.each([
    ["cut off", (path: string) => truncateSync(path, statSync(path).size - 5)],
    [
      "other bytes at their end",
      (path: string) => writeFileSync(path, readFileSync(path).fill(0, statSync(path).size - 40)),
    ],
    [
      "more than was written",
      (path: string) => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from("more")])),
    ],
    ["another file", (path: string) => writeFileSync(path, "another")],
    ["gone", (path: string) => rmSync(path)],
    ["all gone", () => rmSync(folder(), { recursive: true })],
  ])("that are %s are written anew from the tree", async (_what, damage) => {
    await enter(events.slice(0, 4), events.slice(4, 5));
    damage(join(folder(), "2026-11-29.jsonl.gz"));
    await enter(events.slice(5));
    const { entries } = whole();
    expect([...linesOf("2026-11-28"), ...linesOf("2026-11-29")]).toEqual(entries);
  });

  test("come two seconds after what the trail has, or once it is closed", async () => {
    const clock = new TestClock();
    const destination = await open({ clock });
    await send(destination, ...events.slice(0, 2));
    await send(destination, ...events.slice(2, 3));
    expect([whole().entries.length, dailyLines()]).toEqual([4, []]);
    await clock.advance(2000);
    await until("the lines are there", () => dailyLines().length === 4);
    await send(destination, ...events.slice(3));
    expect(dailyLines()).toHaveLength(4);
    await closeAll();
    expect(dailyLines()).toEqual(whole().entries);
  });

  test("do not wait where there is much, and what cannot be written is told, and written later", async () => {
    const clock = new TestClock();
    const large = (number: number) => outgoing(number, { data: { text: "x".repeat(60_000) } });
    const many = (from: number) => Array.from({ length: 20 }, (_, at) => large(from + at));
    const destination = await open({ clock });
    await send(destination, ...many(1));
    await until("the lines are there", () => dailyLines().length > 0);
    await send(destination, outgoing(21));
    rmSync(folder(), { recursive: true });
    expect(await send(destination, ...many(22))).toMatchObject({ outcome: "ok" });
    await until("it is told", async () => {
      const { outcome, reason } = { reason: "", ...(await send(destination, outgoing(42))) };
      return outcome === "refused" && /ENOENT.*daily/.test(reason);
    });
    expect(await send(destination, outgoing(42), outgoing(43))).toMatchObject({ outcome: "ok" });
    await closeAll();
    expect(dailyLines()).toEqual(whole().entries);
  });

  test("are not there where they are not wanted", async () => {
    await send(await open({ daily: false }), outgoing(1));
    expect(existsSync(folder())).toBe(false);
  });
});

const missing = smallDiskMissing();

describe.skipIf(missing !== undefined)(`a full disk${skippedBecause(missing)}`, () => {
  test("is tried again; what was taken stays whole, and once there is room the rest comes, once", async () => {
    using _ = smallDisk(directory, "1m");
    writeFileSync(join(directory, "ballast"), Buffer.alloc(400_000));
    const destination = await open();
    let last = 0;
    let result = await send(destination, outgoing(1));
    for (; result.outcome === "ok"; result = await send(destination, ...large(last + 1)))
      last += last === 0 ? 1 : 20;
    expect(result).toMatchObject({ outcome: "retry", reason: expect.stringContaining("ENOSPC") });
    expect(last).toBeGreaterThan(1);
    expect(whole().events).toHaveLength(last);
    rmSync(join(directory, "ballast"));
    expect(await send(destination, ...large(last + 1))).toMatchObject({ outcome: "ok" });
    expect(whole().events).toHaveLength(last + 20);
    await closeAll();
  });

  /** Twenty events of some 2,000 bytes. */
  function large(from: number): Outgoing[] {
    return Array.from({ length: 20 }, (_, at) =>
      outgoing(from + at, { data: { text: `${at}`.repeat(1000) } }),
    );
  }
});

import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Destination, Outgoing, SendResult } from "../../src/publishers/delivery/destination.ts";
import { openFile } from "../../src/publishers/file/file.ts";
import { fileSettingsSchema } from "../../src/schemas/destinations/file.ts";
import { destinationDeps } from "../support/destination-deps.ts";
import { outgoing } from "../support/outgoing.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { skippedBecause } from "../support/skipped.ts";
import { smallDisk, smallDiskMissing } from "../support/small-disk.ts";

let folder: string;
let path: string;
let lines: string[];
const opened: Destination[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ncf-file-"));
  path = join(folder, "events.jsonl");
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((destination) => destination[Symbol.asyncDispose]()));
  rmSync(folder, { recursive: true });
});

async function open(settings: object = {}): Promise<Destination> {
  const recording = recordingLogger();
  lines = recording.lines;
  const parsed = fileSettingsSchema.parse({ type: "file", path, ...settings });
  const destination = await openFile(parsed, destinationDeps({ logger: recording.logger }));
  opened.push(destination);
  return destination;
}

function send(destination: Destination, ...batch: Outgoing[]): Promise<SendResult> {
  return destination.send(batch, AbortSignal.timeout(60_000));
}

const textOf = (...events: Outgoing[]) => events.map(({ json }) => `${json}\n`).join("");

test("what it creates is its owner's alone, the files it begins later too", async () => {
  const destination = await open({ rotate: { bytes: "64KiB" } });
  for (let number = 1; number <= 4; number += 1) await send(destination, large(number));
  const files = readdirSync(folder);
  expect(files.length).toBeGreaterThan(1);
  expect(files.map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual(files.map(() => 0o600));
});

describe("rotation", () => {
  test("keeps as many files as it is told, none above its size, and every line whole", async () => {
    const destination = await open({ rotate: { bytes: "64KiB", keep: 2 } });
    const events = Array.from({ length: 12 }, (_, position) => large(position + 1));
    for (const event of events) expect(await send(destination, event)).toEqual({ outcome: "ok" });
    expect(readdirSync(folder).toSorted()).toEqual(["events.jsonl", "events.jsonl.1", "events.jsonl.2"]);
    const texts = [`${path}.2`, `${path}.1`, path].map((file) => readFileSync(file, "utf8"));
    for (const text of texts) expect(text.length).toBeLessThanOrEqual(65_536);
    // The newest six, in order.
    expect(texts.join("")).toBe(textOf(...events.slice(-6)));
  });

  test("goes on over a gap that a crash between two moves left", async () => {
    const destination = await open({ rotate: { bytes: "64KiB", keep: 3 } });
    for (let number = 1; number <= 3; number += 1) await send(destination, large(number));
    renameSync(`${path}.1`, `${path}.2`);
    for (let number = 4; number <= 5; number += 1) await send(destination, large(number));
    expect(readFileSync(`${path}.2`, "utf8")).toBe(textOf(large(1), large(2)));
    expect(readFileSync(`${path}.1`, "utf8")).toBe(textOf(large(3), large(4)));
    expect(readFileSync(path, "utf8")).toBe(textOf(large(5)));
  });

  test("by others is followed: what was moved away is begun anew", async () => {
    const destination = await open();
    await send(destination, outgoing(1));
    renameSync(path, `${path}-kept`);
    await send(destination, outgoing(2));
    expect(readFileSync(`${path}-kept`, "utf8")).toBe(textOf(outgoing(1)));
    expect(readFileSync(path, "utf8")).toBe(textOf(outgoing(2)));
  });
});

describe("what it finds", () => {
  test("a torn last line is cut off and told of, and what was whole stays", async () => {
    const torn = outgoing(2).json.slice(0, -5);
    writeFileSync(path, `${textOf(outgoing(1))}${torn}`);
    await send(await open(), outgoing(2));
    expect(readFileSync(path, "utf8")).toBe(textOf(outgoing(1), outgoing(2)));
    expect(lines).toEqual(["cut off a line that a killed writer left without its end"]);
  });

  test("a torn line longer than what is read at once is cut off too", async () => {
    writeFileSync(path, `${textOf(outgoing(1))}{"${"x".repeat(200_000)}`);
    await send(await open(), outgoing(2));
    expect(readFileSync(path, "utf8")).toBe(textOf(outgoing(1), outgoing(2)));
  });

  test("a file of something else is left as it is", async () => {
    writeFileSync(path, "no line of JSON, and no end");
    expect(await send(await open(), outgoing(1))).toMatchObject({
      outcome: "refused",
      why: "config",
      reason: expect.stringContaining("does not end with a line of JSON"),
    });
    expect(readFileSync(path, "utf8")).toBe("no line of JSON, and no end");
  });

  test("another writer is noticed, and nothing of him is lost", async () => {
    const destination = await open();
    await send(destination, outgoing(1));
    appendFileSync(path, textOf(outgoing(100)));
    expect(await send(destination, outgoing(2))).toMatchObject({
      outcome: "refused",
      why: "config",
      reason: expect.stringContaining("another writer"),
    });
    expect(await send(destination, outgoing(2))).toEqual({ outcome: "ok" });
    expect(readFileSync(path, "utf8")).toBe(textOf(outgoing(1), outgoing(100), outgoing(2)));
  });

  test.each([
    ["a pipe, and does not wait for its reader", () => void execFileSync("mkfifo", [path])],
    ["a directory", () => void execFileSync("mkdir", [path])],
  ])("%s is no file to write to", async (_what, make) => {
    make();
    expect(await send(await open(), outgoing(1))).toMatchObject({ outcome: "refused", why: "config" });
  });
});

const missing = smallDiskMissing();

describe.skipIf(missing !== undefined)(`a full disk${skippedBecause(missing)}`, () => {
  test("is tried again; no batch is there in part, and none twice", async () => {
    using _ = smallDisk(folder, "256k");
    writeFileSync(join(folder, "ballast"), Buffer.alloc(100_000));
    const destination = await open();
    const batches = [0, 2, 4, 6, 8, 10, 12, 14].map((first) => [large(first), large(first + 1)]);
    const results: SendResult[] = [];
    for (const batch of batches) results.push(await send(destination, ...batch));
    const written = batches.filter((batch) => results[batches.indexOf(batch)]?.outcome === "ok");
    expect(written.length).toBeGreaterThan(0);
    expect(results.at(-1)).toMatchObject({ outcome: "retry", reason: expect.stringContaining("ENOSPC") });
    expect(readFileSync(path, "utf8")).toBe(textOf(...written.flat()));
    rmSync(join(folder, "ballast"));
    expect(await send(destination, outgoing(1))).toEqual({ outcome: "ok" });
    expect(readFileSync(path, "utf8")).toBe(textOf(...written.flat(), outgoing(1)));
    await destination[Symbol.asyncDispose]();
  });
});

/** An event of some 30,000 bytes. */
function large(number: number): Outgoing {
  return outgoing(number, { data: { text: "x".repeat(30_000) } });
}

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Destination } from "../../src/publishers/delivery/destination.ts";
import { openAudit } from "../../src/publishers/audit/audit.ts";
import { auditSettingsSchema } from "../../src/schemas/destinations/audit.ts";
import { generateNoteKey } from "../../src/tlog/note-keys.ts";
import { destinationDeps } from "../support/destination-deps.ts";
import { readWholeTrail } from "../support/audit-trail.ts";
import { CrashingDisk } from "../support/crashing-disk.ts";
import { outgoing } from "../support/outgoing.ts";

const { privateKey, verifierKey } = generateNoteKey("example.com/nomad");
/** Of a memory file system where there is one: to force something to the disk costs nothing. */
const FOLDER = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

const LARGE = 100;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(FOLDER, "ncf-audit-"));
});
afterEach(() => rmSync(root, { recursive: true }));

test.each(["killed", "unplugged"] as const)(
  "a writer that is %s at any operation leaves a trail that verifies, and the next one goes on with it: every event once",
  async (kind) => {
    let at = 1;
    for (; ; at += 1) {
      const directory = join(root, String(at));
      mkdirSync(directory);
      const disk = new CrashingDisk(directory, { at, kind });
      const taken = await sendUntilItFails(directory, [259, 300]);
      disk[Symbol.dispose]();
      if (!disk.hasCrashed) break;
      const before = existsSync(join(directory, "checkpoint"))
        ? readWholeTrail(directory, verifierKey)
        : { entries: [], events: [] };
      expect(before.events.length, `operation ${at}: what was taken is there`).toBeGreaterThanOrEqual(taken);
      expect(await sendUntilItFails(directory, [150, 270, 330]), `operation ${at}`).toBe(330);
      const after = readWholeTrail(directory, verifierKey);
      expect(after.events.map(({ cursor }) => cursor)).toEqual(numbered(1, 330).map(({ cursor }) => cursor));
      expect(detached(directory, after.events[LARGE - 1]?.json)).toBe("x".repeat(66_000));
      expect(after.entries.slice(0, before.entries.length)).toEqual(before.entries);
      expect(dailyLines(directory)).toEqual(after.entries);
    }
    // Of two batches that is less than there are files.
    expect(at).toBeGreaterThan(40);
  },
);

/** Sends events 1 to the last number, in batches that end with these numbers. Which was the last that was taken. */
async function sendUntilItFails(directory: string, ends: readonly number[]): Promise<number> {
  await using destination = await open(directory);
  let taken = 0;
  for (const end of ends) {
    const result = await destination.send(numbered(taken + 1, end), new AbortController().signal);
    if (result.outcome !== "ok") break;
    taken = end;
  }
  return taken;
}

function open(directory: string): Promise<Destination> {
  const settings = auditSettingsSchema.parse({ type: "audit", directory, key: "env:AUDIT_KEY" });
  return openAudit(settings, destinationDeps({ readSecret: () => privateKey }));
}

/** Among them one that is too large for an entry. */
function numbered(from: number, to: number) {
  const numbers = Array.from({ length: to - from + 1 }, (_, at) => from + at);
  return numbers.map((number) =>
    outgoing(number, number === LARGE ? { data: { text: "x".repeat(66_000) } } : {}),
  );
}

/** The text of the data that stands beside the tiles. */
function detached(directory: string, stub = "{}"): unknown {
  const { dataref } = JSON.parse(stub) as { dataref: string };
  return (JSON.parse(readFileSync(join(directory, dataref), "utf8")) as { text: string }).text;
}

function dailyLines(directory: string): string[] {
  const folder = join(directory, "daily");
  const files = readdirSync(folder).toSorted();
  const texts = files.map((file) => gunzipSync(readFileSync(join(folder, file))).toString());
  return texts.join("").trimEnd().split("\n");
}

import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FrameLog } from "../../src/feed/frames/frame-log.ts";

let folder: string;
let path: string;
let nowMs: number;
let log: FrameLog;
const clock = { now: () => nowMs };
const open = (limits = {}) => FrameLog.open({ path, maxBytes: 1e9, maxAgeMs: 1e9, ...limits }, clock);
const frame = (index: number, text = "x") => ({
  index,
  line: Buffer.from(`{"Index":${index},"Events":["${text}"]}`),
});
const readBehind = (after: number) =>
  log.read(after, { maxFrames: 1000, maxBytes: 1e9 }).map(({ index }) => index);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ncf-frames-"));
  path = join(folder, "frames.db");
  nowMs = 1_000_000;
  log = open();
});
afterEach(() => {
  log[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

describe("the log of frames", () => {
  it("keeps them word for word over a restart, for its owner alone", () => {
    log.append([frame(5), frame(7, "a"), frame(7, "b")]);
    log[Symbol.dispose]();
    log = open();
    expect(log.newestFrames(2).map(({ line }) => line.toString())).toEqual([
      '{"Index":7,"Events":["a"]}',
      '{"Index":7,"Events":["b"]}',
    ]);
    expect(readBehind(0)).toEqual([5, 7, 7]);
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  it("begins where Nomad begins: at the index, or the next, or else with the last", () => {
    log.append([frame(5), frame(7), frame(7), frame(9)]);
    expect(readBehind(log.startAt(7).after)).toEqual([7, 7, 9]);
    expect(readBehind(log.startAt(6).after)).toEqual([7, 7, 9]);
    expect(readBehind(log.startAt(50).after)).toEqual([9]);
    expect(log.startAt(7).gaps).toEqual([]);
  });

  it("without an index begins with as many as Nomad's buffer has, or with all", () => {
    log.append(Array.from({ length: 150 }, (_, at) => frame(at + 1)));
    expect(readBehind(log.startOldest("buffer").after)[0]).toBe(51);
    expect(readBehind(log.startOldest("all").after)[0]).toBe(1);
  });

  it("says what a reader misses: what was lost, and what retention took", () => {
    log.append([frame(5)]);
    log.append([frame(9), frame(10)], 5);
    expect(log.startAt(5).gaps).toEqual([{ after: 5, before: 9 }]);
    expect(log.startAt(7).gaps).toEqual([{ after: 7, before: 9 }]);
    expect(log.startAt(9).gaps).toEqual([]);
    expect(log.startAt(2).gaps).toEqual([
      { after: 2, before: 5 },
      { after: 5, before: 9 },
    ]);
  });

  it("keeps over a restart which topics alone its newest frames are of, and since when", () => {
    const narrowed = { topics: ["Job", "Node"], after: 5 };
    log.append([frame(5)]);
    log.append([frame(9)], undefined, narrowed);
    log[Symbol.dispose]();
    log = open();
    expect(log.narrowed).toEqual(narrowed);
    log.append([frame(12)], 5);
    expect(log.narrowed).toBeUndefined();
    expect(log.startAt(7).gaps).toEqual([{ after: 7, before: 12 }]);
  });

  it("keeps within its bytes however much comes at once", () => {
    log[Symbol.dispose]();
    log = open({ maxBytes: 100 });
    for (let batch = 0; batch < 3; batch += 1)
      log.append(Array.from({ length: 1000 }, (_, at) => frame(batch * 1000 + at + 10)));
    expect(readBehind(0)).toHaveLength(3);
  });

  it("goes on in another history where the index went back, and leads there whoever comes from the one before", () => {
    log.append([frame(80), frame(90)]);
    log.append([frame(20), frame(30)]);
    expect(readBehind(0)).toEqual([80, 90, 20, 30]);
    expect(readBehind(log.startAt(30).after)).toEqual([30]);
    expect(readBehind(log.startAt(90).after)).toEqual([20, 30]);
    expect(readBehind(log.startAt(95).after)).toEqual([30]);
  });

  it("says what is missing of the history after to whoever comes from the one before", () => {
    log.append([frame(80), frame(90)]);
    log.append([frame(20)]);
    log.append([frame(30)], 20);
    expect(log.startAt(90)).toEqual({ after: 2, gaps: [{ after: 20, before: 30 }] });
    log.append([frame(10)], undefined, { topics: ["Job"], after: 0 });
    expect(log.startAt(90, false, ["Node"]).gaps).toEqual([{ after: 0, before: 11 }]);
    expect(log.startAt(90, false, ["Job"]).gaps).toEqual([]);
  });

  it("keeps within its bytes and its age, and the newest always", () => {
    log[Symbol.dispose]();
    log = open({ maxBytes: 100 });
    log.append(Array.from({ length: 10 }, (_, at) => frame(at + 10)));
    expect(readBehind(0)).toEqual([17, 18, 19]);
    expect(log.startAt(12).gaps).toEqual([{ after: 12, before: 17 }]);
    log[Symbol.dispose]();
    log = open({ maxAgeMs: 1000 });
    nowMs += 5000;
    log.append([frame(20)]);
    expect(readBehind(0)).toEqual([20]);
  });

  it("keeps what Nomad never sends behind what came before it, never lower, for those who want it", () => {
    log.append([frame(5), frame(9)]);
    const told: number[] = [];
    const extra = (index: number) => ({
      index,
      lineAt: (at: number) => (told.push(at), frame(at, "extra").line),
    });
    log.appendExtra([extra(7), extra(12), extra(11)], "place-1");
    expect(told).toEqual([9, 12, 12]);
    // Of what was on its way when it was seen: no restore.
    log.append([frame(10), frame(12)]);
    log[Symbol.dispose]();
    log = open();
    expect(log.followed).toBe("place-1");
    expect(readBehind(0)).toEqual([5, 9, 9, 12, 12, 10, 12]);
    expect(log.newestFrames(3).map(({ index }) => index)).toEqual([9, 10, 12]);
    expect(readBehind(log.startAt(11, true).after)).toEqual([12, 12, 10, 12]);
    expect(readBehind(log.startAt(11).after)).toEqual([12]);
    expect(readBehind(log.startAt(50).after)).toEqual([12]);
    expect(readBehind(log.startAt(10).after)).toEqual([10, 12]);
    log.append([frame(11)]);
    expect(readBehind(log.startAt(12).after)).toEqual([11]);
    log.append([frame(15)], 13);
    expect(log.newestFrames(2).map(({ gapAfter }) => gapAfter)).toEqual([undefined, 13]);
  });

  it("lets what Nomad never sent go with the frame before it, and keeps Nomad's newest", () => {
    log[Symbol.dispose]();
    log = open({ maxBytes: 50 });
    log.append([frame(10)]);
    const extra = { index: 10, lineAt: (index: number) => frame(index).line };
    log.appendExtra([extra, extra, extra], "p");
    expect(readBehind(0)).toEqual([10, 10, 10, 10]);
    log.append([frame(20)]);
    expect(readBehind(0)).toEqual([20]);
  });

  it("goes on with a file of the format before, which had Nomad's frames alone", () => {
    log[Symbol.dispose]();
    rmSync(path);
    const before = new DatabaseSync(path);
    before.exec(`
CREATE TABLE frames (sequence INTEGER PRIMARY KEY, history INTEGER NOT NULL, raft_index INTEGER NOT NULL,
  recorded_ms INTEGER NOT NULL, gap_after INTEGER, line BLOB NOT NULL);
CREATE INDEX frames_by_index ON frames (history, raft_index, sequence);
CREATE INDEX gaps ON frames (history, raft_index, gap_after) WHERE gap_after IS NOT NULL;
INSERT INTO frames VALUES (1, 0, 5, 1000000, NULL, x'7b7d');
PRAGMA application_id = 1313031750; PRAGMA user_version = 1;`);
    before.close();
    log = open();
    log.appendExtra([{ index: 6, lineAt: (index) => frame(index).line }], "p");
    expect(log.read(0, { maxFrames: 9, maxBytes: 1e9 }).map(({ isExtra }) => isExtra)).toEqual([false, true]);
  });

  it("goes on with a file of the format that did not say which topics its frames are of", () => {
    log.append([frame(5)]);
    log[Symbol.dispose]();
    const before = new DatabaseSync(path);
    before.exec("DROP TABLE narrowed; PRAGMA user_version = 2;");
    before.close();
    log = open();
    expect(log.narrowed).toBeUndefined();
    log.append([frame(6)], undefined, { topics: ["Job"], after: 5 });
    expect(readBehind(0)).toEqual([5, 6]);
  });

  it("refuses a file that is not its own, and says what to do", () => {
    const other = join(folder, "other.db");
    const database = new DatabaseSync(other);
    database.exec("CREATE TABLE mine (x)");
    database.close();
    expect(() => FrameLog.open({ path: other, maxBytes: 1e9, maxAgeMs: 1e9 }, clock)).toThrow(
      /another program/,
    );
    writeFileSync(join(folder, "text"), "no database".repeat(1000));
    expect(() => FrameLog.open({ path: join(folder, "text"), maxBytes: 1e9, maxAgeMs: 1e9 }, clock)).toThrow(
      /no log|not a database|damaged|NOTADB|not a SQLite/i,
    );
    expect(() => open()).toThrow(/being written by another process/);
  });
});

import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FrameRecorder } from "../../src/pollers/hints/frame-recorder.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { TestClock } from "../support/test-clock.ts";

describe("recorded frames", () => {
  let directory: string;
  let path: string;
  const { logger, lines } = recordingLogger();
  const metrics = createMetrics();
  const unrecorded = async () => (await metrics.hintFramesUnrecorded.get()).values[0]?.value;
  const record = async (maxBytes: number, ...frames: string[]) => {
    await using recorder = new FrameRecorder({ path, maxBytes }, { logger, metrics, clock: new TestClock() });
    for (const frame of frames) recorder.record(Buffer.from(frame));
  };
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "ncf-frames-"));
    path = join(directory, "frames.ndjson");
    metrics.registry.resetMetrics();
    lines.length = 0;
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("are in the file word for word, a line each, also after another start, and only their owner reads them", async () => {
    await record(1_000, '{"Index":1,  "Events":[]}', "{}");
    await record(1_000, '{"Index":2}');
    expect(await readFile(path, "utf8")).toBe('{"Index":1,  "Events":[]}\n{}\n{"Index":2}\n');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await unrecorded()).toBe(0);
  });

  it("fill two files at most, of which the older one goes", async () => {
    const frames = Array.from({ length: 30 }, (_, n) => `frame ${String(n).padStart(3, "0")}`);
    await record(100, ...frames);
    expect((await readdir(directory)).toSorted()).toEqual(["frames.ndjson", "frames.ndjson.1"]);
    const kept = `${await readFile(`${path}.1`, "utf8")}${await readFile(path, "utf8")}`;
    expect(kept).toBe(frames.slice(-kept.split("\n").length + 1).join("\n") + "\n");
    expect(kept.length).toBeLessThanOrEqual(100);
    expect(kept.length).toBeGreaterThan(50);
  });

  it("begin a line of their own behind one that was never written whole", async () => {
    await writeFile(path, '{"Ind');
    await record(1_000, "{}");
    expect(await readFile(path, "utf8")).toBe('{"Ind\n{}\n');
  });

  it("that cannot be written are counted, and said once", async () => {
    await mkdir(path);
    await record(1_000, "a", "b", "c");
    await rm(path, { recursive: true });
    expect(await unrecorded()).toBe(3);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("cannot record a frame of the event stream");
  });

  it("that are larger than a file may be are left out, and the next is written", async () => {
    await record(100, "x".repeat(60), "{}");
    expect(await readFile(path, "utf8")).toBe("{}\n");
    expect(await unrecorded()).toBe(1);
  });
});

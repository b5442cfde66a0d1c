import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { feedApi, type Counts } from "../../packages/client/src/index.ts";
import { Redaction } from "../../src/publishers/redaction/redaction.ts";
import { redactedLog } from "../../src/publishers/redaction/redacted-log.ts";
import { ReadScheduler } from "../../src/publishers/work/read-scheduler.ts";
import { EVERYTHING } from "../../src/publishers/selection/access.ts";
import { countEvents } from "../../src/reads/counts.ts";
import { countsSchema } from "../../src/schemas/counts-schema.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { controlDraft, draft } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";

const START_MS = Date.parse("2026-08-22T10:00:00Z");
const MINUTE_MS = 60_000;
const at = (minutes: number) => new Date(START_MS + minutes * MINUTE_MS).toISOString();

let feed: TestFeed;
let url: string;
let nowMs: number;
beforeEach(async () => {
  nowMs = START_MS;
  const clock = { ...systemClock, now: () => nowMs };
  feed = await TestFeed.open({ clock });
  ({ url } = await feed.serve({}, { clock }));
  await feed.commit(
    draft({ id: "a", job: "web", node: "n1", severity: "ERROR", signals: ["allocation.failed"] }),
    draft({ id: "b", job: "web", namespace: "prod", aspect: "spec" }),
  );
  nowMs = START_MS + MINUTE_MS;
  await feed.commit(draft({ id: "c", resource: "jobs", type: "nomad.job.deleted", job: "db", op: "delete" }));
  nowMs = START_MS + 3 * MINUTE_MS;
  await feed.commit(
    draft({ id: "d", job: "web", severity: "WARN", signals: ["allocation.failed", "allocation.lost"] }),
    controlDraft("e", "nomad.feed.scope", { resource: "jobs", namespace: "prod", severity: "WARN" }),
  );
  nowMs = START_MS + 4 * MINUTE_MS;
});
afterEach(() => feed[Symbol.asyncDispose]());

async function counts(query = ""): Promise<Counts> {
  const response = await fetch(`${url}/v1/counts?since=${at(0)}&until=${at(4)}&buckets=4${query}`);
  return countsSchema.strict().parse(await response.json());
}

const totals = ({ buckets }: Counts) => buckets.map(({ total }) => total);

describe("counts", () => {
  it("of all events over time, by severity", async () => {
    expect(await counts()).toEqual({
      since: at(0),
      until: at(4),
      bucketMs: MINUTE_MS,
      total: 5,
      complete: true,
      from: at(0),
      buckets: [
        { at: at(0), total: 2, severities: { ERROR: 1, INFO: 1 } },
        { at: at(1), total: 1, severities: { INFO: 1 } },
        { at: at(2), total: 0, severities: {} },
        { at: at(3), total: 2, severities: { WARN: 2 } },
      ],
    });
  });

  it("from the oldest event until now, where nothing else is asked for", async () => {
    const all = await feedApi({ url }).counts();
    expect(all).toMatchObject({ since: at(0), total: 5, complete: true });
    expect(all.buckets).toHaveLength(60);
    expect(all.buckets.filter(({ total }) => total > 0).map(({ total }) => total)).toEqual([2, 1, 2]);
  });

  it.each([
    ["&types=allocations", [2, 0, 0, 1]],
    ["&types=jobs", [0, 1, 0, 1]],
    ["&namespaces=prod", [1, 0, 0, 1]],
    ["&namespaces=prod,default&ops=update", [2, 0, 0, 2]],
    ["&ops=delete", [0, 1, 0, 1]],
    ["&aspects=spec&minSeverity=INFO", [1, 0, 0, 1]],
    ["&signals=allocation.failed", [1, 0, 0, 2]],
    ["&subjects=allocations/default/a", [1, 0, 0, 0]],
    ["&minSeverity=WARN", [1, 0, 0, 2]],
    ['&filter=resource.type=="jobs"', [0, 1, 0, 1]],
    ['&filter=severity=="WARN"', [0, 0, 0, 2]],
    ["&types=feed", [0, 0, 0, 1]],
  ])("of what is chosen, and control events that bear on it: %s", async (query, expected) => {
    expect(totals(await counts(query))).toEqual(expected);
  });

  it.each([
    [
      "type",
      [
        ["nomad.allocation.updated", 3],
        ["nomad.feed.scope", 1],
        ["nomad.job.deleted", 1],
      ],
    ],
    [
      "namespace",
      [
        ["default", 3],
        ["prod", 2],
      ],
    ],
    [
      "op",
      [
        ["update", 3],
        ["delete", 1],
      ],
    ],
    [
      "aspect",
      [
        ["status", 3],
        ["spec", 1],
      ],
    ],
    [
      "signal",
      [
        ["allocation.failed", 2],
        ["allocation.lost", 1],
      ],
    ],
    [
      "job",
      [
        ["web", 3],
        ["db", 1],
      ],
    ],
    ["node", [["n1", 1]]],
  ])("by %s", async (by, expected) => {
    const { values, others } = await counts(`&by=${by}`);
    expect(values?.map(({ value, count }) => [value, count])).toEqual(expected);
    expect(others).toBeUndefined();
  });

  it("by what has many values: the largest fifty, and how many the others are", async () => {
    const jobs = Array.from({ length: 60 }, (_, n) => draft({ id: `many-${n}`, job: `job-${n}` }));
    await feed.commit(...jobs, draft({ id: "again", job: "job-59" }));
    const { values, others } = await feedApi({ url }).counts({ by: "job", since: at(4) });
    expect(values).toHaveLength(50);
    expect(values?.[0]).toEqual({ value: "job-59", count: 2 });
    expect(others).toBe(10);
  });

  it("say how far back they reach, where retention removed older events", async () => {
    await feed.log.trim({ maxEvents: 2 });
    expect(await counts()).toMatchObject({ total: 2, complete: false, since: at(0), from: at(3) });
    expect(await feedApi({ url }).counts()).toMatchObject({ total: 2, complete: true, since: at(3) });
  });

  it("stop where they have cost enough, with the newest counted", async () => {
    await feed.commitMany("many", 3000);
    nowMs += MINUTE_MS;
    await feed.commitMany("newer", 500);
    // Control events are looked at last in each part of the log.
    let elapsedMs = 0;
    const scan = feed.log.scanHistory.bind(feed.log);
    feed.log.scanHistory = (query) => {
      if (query.op === null) elapsedMs += 600;
      return scan(query);
    };
    const clock = { elapsed: () => elapsedMs };
    const task = await new ReadScheduler({ maxWorkMs: 1e9, clock }).begin();
    const times = { sinceMs: START_MS, untilMs: START_MS + 6 * MINUTE_MS };
    const request = { conditions: {}, ...times, buckets: 6, by: "severity" } as const;
    const some = await countEvents(feed.log, task, { request, access: EVERYTHING });
    expect(some).toMatchObject({ complete: false, from: at(5) });
    const [partly = 0, whole] = totals(some).slice(4);
    expect([...totals(some).slice(0, 4), whole]).toEqual([0, 0, 0, 0, 500]);
    expect(partly).toBeLessThan(3000);
  });

  it("do not tell the names of jobs that are redacted", async () => {
    const redaction = new Redaction([{ patterns: ["^web$"] }]);
    const log = redactedLog(feed.log, redaction);
    const task = await new ReadScheduler({ maxWorkMs: 1e9, clock: systemClock }).begin();
    const request = { conditions: {}, untilMs: nowMs, buckets: 1, by: "job" } as const;
    const { values } = await countEvents(log, task, { request, access: EVERYTHING });
    expect(values).toEqual([
      { value: "[redacted]", count: 3 },
      { value: "db", count: 1 },
    ]);
  });

  it.each([
    ["buckets=0", "buckets"],
    ["buckets=501", "buckets"],
    ["by=color", "by"],
    ["since=5m&until=10m", "since"],
    ["limit=5", "limit"],
  ])("refuse %s", async (query, field) => {
    const response = await fetch(`${url}/v1/counts?${query}`);
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { code: "INVALID_PARAMETER", field },
    ]);
  });

  it("of an empty log are none", async () => {
    await using empty = await TestFeed.open();
    const none = await feedApi({ url: (await empty.serve()).url }).counts({ since: "1h" });
    expect(none).toMatchObject({ total: 0, complete: true });
  });
});

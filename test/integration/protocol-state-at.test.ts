import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { redactedRead } from "../../src/publishers/redaction/redacted-log.ts";
import { Redaction } from "../../src/publishers/redaction/redaction.ts";
import { StateExpired } from "../../src/reads/errors.ts";
import { PastStates } from "../../src/reads/past-states.ts";
import { objectFrameSchema } from "../../src/schemas/frames-schema.ts";
import { AccessFeed, bearer } from "../support/access-feed.ts";
import { breakable } from "../support/breakable-log.ts";
import { refOf } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { RealChanges } from "../support/real-changes.ts";
import { TestClock } from "../support/test-clock.ts";

const ALLOC = refOf("allocations", "a");
const GONE = refOf("allocations", "b");
const LATER = refOf("allocations", "c");
const JOB = refOf("jobs", "web");

interface ObjectItem {
  readonly subject: string;
  readonly data: { readonly after: Record<string, unknown>; readonly redacted?: string[] };
}

const subjects = (objects: readonly ObjectItem[]) => objects.map(({ subject }) => subject);

describe("GET /v1/state?at=", () => {
  let feed: TestFeed;
  let clock: TestClock;
  let changes: RealChanges;
  let url: string;
  beforeEach(async () => {
    clock = new TestClock();
    feed = await TestFeed.open({ clock });
    changes = new RealChanges(feed);
    ({ url } = await feed.serve({}, { clock }));
  });
  afterEach(() => feed[Symbol.asyncDispose]());

  const ask = (at: string, more = "") => fetch(`${url}/v1/state?at=${encodeURIComponent(at)}${more}`);
  const objectsAt = async (at: string, more = ""): Promise<ObjectItem[]> => {
    const response = await ask(at, more);
    expect(response.status).toBe(200);
    return (await response.json()) as ObjectItem[];
  };

  it("answers what was there at a cursor, at a time and so long ago, each in its place", async () => {
    const first = await changes.set(
      [ALLOC, { ClientStatus: "pending", ModifyIndex: 1 }],
      [GONE, { ClientStatus: "running", ModifyIndex: 2 }],
      [JOB, { Status: "running", ModifyIndex: 3 }],
    );
    clock.pass(60_000);
    await changes.set([ALLOC, { ClientStatus: "running", ModifyIndex: 4 }], [GONE, null]);
    clock.pass(60_000);
    const last = await changes.set([LATER, { ClientStatus: "pending", ModifyIndex: 5 }]);

    const response = await ask(first);
    expect(response.headers.get("x-changefeed-cursor")).toBe(first);
    const then = (await response.json()) as ObjectItem[];
    expect(subjects(then)).toEqual(["allocations/default/a", "allocations/default/b", "jobs/default/web"]);
    expect(then[0]?.data.after).toEqual({ ID: "a", ClientStatus: "pending", ModifyIndex: 1 });
    for (const object of then) expect(objectFrameSchema.safeParse(object).error).toBeUndefined();

    expect(await objectsAt("2026-08-22T10:00:30Z")).toEqual(then.map(() => expect.anything()));
    expect(await objectsAt("2026-08-22T10:00:00Z")).toHaveLength(3);
    expect(subjects(await objectsAt("1m"))).toEqual(["allocations/default/a", "jobs/default/web"]);
    expect(await objectsAt(last)).toHaveLength(3);
    expect(subjects(await objectsAt("0s"))).toContain("allocations/default/c");
    const behind = await fetch(`${url}/v1/events?cursor=${first}`);
    expect(await behind.json()).toHaveLength(3);
  });

  it("filters by what the object was then, and answers lines to who asks for lines", async () => {
    const first = await changes.set(
      [ALLOC, { ClientStatus: "failed", ModifyIndex: 1 }],
      [JOB, { Status: "dead", ModifyIndex: 2 }],
    );
    await changes.set([ALLOC, { ClientStatus: "complete", ModifyIndex: 3 }], [JOB, null]);
    const filter = (text: string) => `&filter=${encodeURIComponent(text)}`;
    expect(subjects(await objectsAt(first, filter('ClientStatus == "failed"')))).toEqual([
      "allocations/default/a",
    ]);
    expect(await objectsAt(first, filter('ClientStatus == "complete"'))).toEqual([]);
    expect(subjects(await objectsAt(first, "&types=jobs"))).toEqual(["jobs/default/web"]);
    expect(subjects(await objectsAt(first, "&subjects=jobs/default/web"))).toEqual(["jobs/default/web"]);
    expect(subjects(await objectsAt(first, "&namespaces=qa"))).toEqual([]);
    const lines = await fetch(`${url}/v1/state?at=${first}`, { headers: { accept: "application/x-ndjson" } });
    expect((await lines.text()).trimEnd().split("\n")).toHaveLength(2);
  });

  it("stays what it is while events are committed and removed", async () => {
    const refs = Array.from({ length: 300 }, (_, n) => refOf("jobs", `job-${String(n).padStart(3, "0")}`));
    const padding = "x".repeat(2000);
    const first = await changes.set(...refs.map((ref, n) => [ref, { padding, ModifyIndex: n + 1 }] as const));
    await changes.set(...refs.map((ref, n) => [ref, { padding, ModifyIndex: n + 1000 }] as const));
    const response = await ask(first);
    await changes.set([refOf("jobs", "aaa"), { ModifyIndex: 5000 }], [refOf("jobs", "job-299"), null]);
    const objects = (await response.json()) as ObjectItem[];
    expect(objects.map(({ data }) => data.after["ModifyIndex"])).toEqual(refs.map((_, n) => n + 1));
  });

  it("says from when on it can tell, and refuses what has not come", async () => {
    await changes.set([ALLOC, { ModifyIndex: 1 }]);
    clock.pass(60_000);
    const second = await changes.set([ALLOC, { ModifyIndex: 2 }]);
    clock.pass(60_000);
    await changes.set([ALLOC, { ModifyIndex: 3 }]);
    const { epoch } = await feed.log.head();
    await feed.log.trim({ maxEvents: 1 });

    for (const at of [`${epoch}-1`, "2026-08-22T10:01:59Z", "3h"]) {
      const refused = await ask(at);
      expect(refused.status).toBe(410);
      expect(await refused.json()).toMatchObject({
        code: "CURSOR_EXPIRED",
        floor: second,
        oldestTime: "2026-08-22T10:02:00.000Z",
        message: expect.stringContaining(second),
        hint: expect.stringContaining("at=2026-08-22T10:02:00.000Z"),
      });
    }
    expect((await objectsAt(second))[0]?.data.after["ModifyIndex"]).toBe(2);
    const future = await ask("2026-08-22T10:02:01Z");
    expect(future.status).toBe(400);
    expect(await future.json()).toMatchObject({ code: "INVALID_PARAMETER", field: "at" });
    expect((await ask(`${epoch}-99`)).status).toBe(412);
    expect((await ask("zzzzzz-1")).status).toBe(409);
    const nonsense = await ask("yesterday");
    expect(nonsense.status).toBe(400);
    expect(await nonsense.json()).toMatchObject({
      field: "at",
      allowed: expect.arrayContaining(["<cursor>"]),
    });

    await feed.log.trim({ maxEvents: 0 });
    const empty = await ask("1m");
    expect(empty.status).toBe(410);
    expect(await empty.json()).toMatchObject({ message: expect.stringContaining("holds no event") });
  });

  it("says so where retention takes a large event while it is undone", async () => {
    const { log } = feed;
    const first = await changes.set([JOB, { Text: "x".repeat(70_000), ModifyIndex: 1 }]);
    await changes.set([JOB, { Text: "y".repeat(70_000), ModifyIndex: 2 }]);
    const overtaken = {
      ...breakable(log),
      overflow: async (sequence: number) => {
        await log.trim({ maxEvents: 0 });
        return log.overflow(sequence);
      },
    };
    const { epoch } = await log.head();
    await using read = await new PastStates(overtaken).at({
      kind: "cursor",
      cursor: { epoch, sequence: Number(first.split("-")[1]) },
    });
    await expect(Array.fromAsync(read.entries())).rejects.toThrow(StateExpired);
  });

  it("redacts what the object was then, also where a name of a member is redacted", async () => {
    const redaction = new Redaction([{ paths: ["/Meta/PASSWORD"], patterns: ["^secret"] }]);
    const past = new PastStates(feed.log, { publish: (read) => redactedRead(read, redaction) });
    const server = await feed.serve({}, { clock, past });
    const first = await changes.set([JOB, { Meta: { PASSWORD: "old", "secret-name": "1" }, ModifyIndex: 1 }]);
    await changes.set([JOB, { Meta: { PASSWORD: "new" }, ModifyIndex: 2 }]);
    const response = await fetch(`${server.url}/v1/state?at=${first}`);
    const [job] = (await response.json()) as ObjectItem[];
    expect(job?.data.after["Meta"]).toEqual({ PASSWORD: "[redacted]", "[redacted]": "1" });
    expect(job?.data.redacted).toContain("/after/Meta/PASSWORD");
  });
});

it("shows who may see one namespace only that one, as it was then", async () => {
  await using access = await AccessFeed.open();
  const { url } = await access.serve();
  const changes = new RealChanges(access.feed);
  const first = await changes.set(
    [refOf("jobs", "web"), { ModifyIndex: 1 }],
    [refOf("jobs", "web", "secret"), { ModifyIndex: 2 }],
    [refOf("namespaces", "default", "-"), { ModifyIndex: 3 }],
    [refOf("namespaces", "secret", "-"), { ModifyIndex: 4 }],
  );
  await changes.set([refOf("jobs", "web"), null], [refOf("jobs", "web", "secret"), null]);
  const headers = bearer(access.nomadToken({ namespaces: { default: "read" } }));
  const seen = async (more: string) => {
    const response = await fetch(`${url}/v1/state?at=${first}${more}`, { headers });
    return subjects((await response.json()) as ObjectItem[]);
  };
  expect(await seen("")).toEqual(["jobs/default/web", "namespaces/-/default"]);
  expect(await seen("&subjects=jobs/secret/web")).toEqual([]);
  expect(await seen("&namespaces=secret")).toEqual([]);
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFanout } from "../../src/publishers/fanout/fanout.ts";
import { Redaction } from "../../src/publishers/redaction/redaction.ts";
import { redactedLog } from "../../src/publishers/redaction/redacted-log.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { objectChange, refOf } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { FORMAT_NAMES, readEvents } from "../support/protocol-formats.ts";
import { openStream, STREAMS } from "../support/protocol-reader.ts";

const SECRET = "hunter2";
const redaction = new Redaction([{ paths: ["/Meta/*"] }, { patterns: [SECRET] }]);

let feed: TestFeed;
let url: string;

/** Two allocations with a secret each, one of them too large for its event, and one without. */
beforeAll(async () => {
  feed = await TestFeed.open();
  const log = redactedLog(feed.log, redaction);
  ({ url } = await feed.serve({}, { log }));
  await feed.commitObjects(
    allocation("a1", { Meta: { PASSWORD: SECRET, PIN: "4711" } }),
    allocation("a2", { Message: `token ${SECRET}` }, { overflow: true }),
    allocation("a3", { Message: "nothing" }),
  );
});
afterAll(() => feed[Symbol.asyncDispose]());

function allocation(key: string, members: object, { overflow = false } = {}) {
  const stub = { ID: key, Namespace: "default", JobID: `job-${SECRET}`, ModifyIndex: 7, ...members };
  const resource = { type: "allocations", namespace: "default", id: key, job: stub.JobID };
  const data = JSON.stringify({ op: "update", signals: [], resource, after: stub });
  const change = objectChange(refOf("allocations", key), "7", {
    job: stub.JobID,
    data: overflow ? JSON.stringify({ op: "update", signals: [], resource }) : data,
    overflow: overflow ? data : null,
  });
  const next = { rev: "7", stub: Buffer.from(JSON.stringify(stub)) };
  return { ...change, state: { ref: change.state.ref, next } };
}

async function textOf(path: string): Promise<string> {
  const response = await fetch(new URL(path, url));
  return `${response.status} ${await response.text()}`;
}

describe("what is redacted leaves by no way", () => {
  it.each(FORMAT_NAMES)("as events in the format %s", async (format) => {
    const { texts } = await readEvents(format, `${url}/v1/events`, { query: "cursor=earliest", count: 3 });
    expect(texts.join()).not.toMatch(/hunter2|4711/);
    const [first, , last] = texts.map((text) => JSON.parse(text) as { data: Record<string, unknown> });
    expect(first?.data).toMatchObject({
      after: { ID: "a1", Meta: { PASSWORD: "[redacted]", PIN: "[redacted]" } },
      redacted: ["/resource/job", "/after/JobID", "/after/Meta/PASSWORD", "/after/Meta/PIN"],
    });
    expect(last?.data).toMatchObject({ after: { Message: "nothing" } });
  });

  it.each(STREAMS)("as objects of a snapshot in the format %s", async (format) => {
    await using stream = await openStream(format, `${url}/v1/events?snapshot=true`);
    const events = await stream.until(({ text }) => text.includes('"phase":"end"'));
    const texts = events.map(({ text }) => text).join();
    expect(texts).not.toMatch(/hunter2|4711/);
    expect(texts).toContain('"redacted":["/after/JobID","/after/Meta/PASSWORD","/after/Meta/PIN"]');
  });

  it("as single events of the log", async () => {
    const found = await redactedLog(feed.log, redaction).eventsAt([1, 2, 3]);
    expect(found.map(({ key }) => key)).toEqual(["a1", "a2", "a3"]);
    expect(JSON.stringify(found)).not.toMatch(/hunter2|4711/);
  });

  it("as states, history, data of a large event", async () => {
    const [, large] = JSON.parse((await textOf("/v1/events")).slice(4)) as { dataref: string }[];
    const texts = [
      await textOf("/v1/state"),
      await textOf("/v1/history?subject=allocations/default/a1"),
      await textOf("/v1/history"),
      await textOf(`/v1/${large?.dataref}`),
    ];
    for (const text of texts) {
      expect(text).toMatch(/^200 .*\[redacted\]/s);
      expect(text).not.toMatch(/hunter2|4711/);
    }
  });

  it.each([
    ["/v1/events?subjects=allocations/default/a1&filter=Meta.PASSWORD+contains+hunter", "[]"],
    ["/v1/events?filter=resource.job+contains+hunter", "[]"],
    [`/v1/history?job=job-${SECRET}`, "[]"],
  ])("as an answer to the question %s", async (path, answer) => {
    expect((await textOf(path)).replaceAll(/\s/g, "")).toBe(`200${answer}`);
  });
});

it("other rules are in force for who reads what the ring holds, too", async () => {
  await using other = await TestFeed.open();
  const changing = new Redaction();
  const log = redactedLog(other.log, changing);
  const fanout = createFanout({ log, clock: systemClock, logger: silentLogger(), metrics: other.metrics });
  const served = await other.serve({}, { log, fanout });
  const open = (cursor: string) => openStream("ndjson", `${served.url}/v1/events?cursor=${cursor}`);
  await using follower = await open("latest");
  await follower.until(({ type }) => type === "nomad.feed.hello");
  await other.commitObjects(allocation("b1", { Meta: { PASSWORD: SECRET } }));
  const isEvent = ({ text }: { text: string }) => text.includes('"sequence"');
  expect((await follower.until(isEvent)).at(-1)?.text).toContain(SECRET);
  changing.configure([{ patterns: [SECRET] }]);
  fanout.ring.forget();
  await using later = await open("earliest");
  expect((await later.until(isEvent)).at(-1)?.text).not.toContain(SECRET);
  await other.commitObjects(allocation("b2", { Meta: { PASSWORD: SECRET } }));
  expect((await follower.until(isEvent)).at(-1)?.text).toContain('"PASSWORD":"[redacted]"');
});

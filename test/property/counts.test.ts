import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FeedLog } from "../../src/feed/log.ts";
import type { Access } from "../../src/publishers/selection/access.ts";
import { ReadScheduler } from "../../src/publishers/work/read-scheduler.ts";
import { countEvents } from "../../src/reads/counts.ts";
import { COUNTED_BY } from "../../src/schemas/counts-schema.ts";
import { ASPECTS, changeType, OPS, type EventDraft } from "../../src/schemas/draft.ts";
import { isResourceType, RESOURCE_TYPES, RESOURCES } from "../../src/schemas/resources.ts";
import { SEVERITY_NAMES } from "../../src/schemas/severity.ts";
import { TYPES, type EventConditions } from "../../src/schemas/subscription-schema.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { controlDraft, draft } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";

const START_MS = Date.parse("2026-08-22T10:00:00Z");
const COMMIT_MS = 1000;
const COMMITS = 30;
/** More than the log counts in one step. */
const EVENTS_OF_ONE_KIND = 9000;
const NAMESPACES = ["default", "prod", "prod-eu"];
const KEYS = ["a", "b", "c"];
const SIGNALS = ["allocation.failed", "node.down"];

const change: fc.Arbitrary<EventDraft> = fc
  .record({
    resource: fc.constantFrom(...RESOURCE_TYPES),
    namespace: fc.constantFrom(...NAMESPACES, "-"),
    key: fc.constantFrom(...KEYS),
    op: fc.constantFrom(...OPS),
    aspect: fc.constantFrom(...ASPECTS),
    severity: fc.constantFrom(...SEVERITY_NAMES),
    signals: fc.subarray(SIGNALS),
    job: fc.constantFrom("web", null),
  })
  .map((facts) => draft({ ...facts, type: changeType(facts.resource, facts.op) }));

/** Of a scope, or of the whole feed. */
const control: fc.Arbitrary<EventDraft> = fc
  .record({
    scope: fc.oneof(
      fc.record({
        resource: fc.constantFrom(...RESOURCE_TYPES),
        namespace: fc.constantFrom(...NAMESPACES, "*"),
      }),
      fc.constant({ resource: null, namespace: null }),
    ),
    severity: fc.constantFrom(...SEVERITY_NAMES),
  })
  .map(({ scope, severity }) => controlDraft("control", "nomad.feed.scope", { ...scope, severity }));

const some = <Value>(values: readonly Value[]) => fc.subarray([...values], { minLength: 1 });

const conditions: fc.Arbitrary<EventConditions> = fc.record(
  {
    types: some(TYPES),
    namespaces: some([...NAMESPACES, "-", "none"]),
    ops: some(OPS),
    aspects: some(ASPECTS),
    signals: some(SIGNALS),
    subjects: some(["allocations/default/a", "jobs/prod/b"]),
    minSeverity: fc.constantFrom(...SEVERITY_NAMES),
  },
  { requiredKeys: [] },
);

/** Sees some resources in some namespaces, or in all of them ("*"), and some objects that are granted one by one. */
const access: fc.Arbitrary<Access> = fc
  .record({
    resources: some(RESOURCE_TYPES),
    namespaces: some([...NAMESPACES, "-", "*", null]),
    keys: some(KEYS),
  })
  .map(({ resources, namespaces, keys }) => {
    const sees = (namespace: string | null) => namespaces.includes("*") || namespaces.includes(namespace);
    const maySee: Access["maySee"] = ({ resource, namespace, key }) => {
      if (resource === null || !isResourceType(resource)) return resource === null;
      if (resources.includes(resource) && sees(namespace)) return true;
      return key !== null && RESOURCES[resource].grantedEach === true && keys.includes(key);
    };
    return { name: "somebody", maySee };
  });
const everything: Access = { name: "all", maySee: () => true };

const request = fc.record({
  conditions: fc.oneof(fc.constant({}), conditions),
  by: fc.constantFrom(...COUNTED_BY),
  buckets: fc.integer({ min: 1, max: 40 }),
  sinceMs: fc.integer({ min: START_MS, max: START_MS + (COMMITS / 2) * COMMIT_MS }),
  untilMs: fc.integer({ min: START_MS + (COMMITS / 2) * COMMIT_MS + 1, max: START_MS + COMMITS * COMMIT_MS }),
});

describe("counts", () => {
  let feed: TestFeed;
  let nowMs = START_MS;
  beforeAll(async () => {
    feed = await TestFeed.open({ clock: { ...systemClock, now: () => nowMs } });
    const several = fc.array(fc.oneof({ weight: 9, arbitrary: change }, control), {
      minLength: 1,
      maxLength: 50,
    });
    for (const events of fc.sample(several, COMMITS)) {
      await feed.commit(...events);
      nowMs += COMMIT_MS;
    }
    await feed.commitMany("many", EVENTS_OF_ONE_KIND);
    nowMs += COMMIT_MS;
  });
  afterAll(() => feed[Symbol.asyncDispose]());

  it("are the same whether the log counts by an index or each event is looked at", async () => {
    const eachAlone = without(feed.log, "changeCounts");
    expect(feed.log).toHaveProperty("changeCounts");
    await fc.assert(
      fc.asyncProperty(request, fc.oneof(fc.constant(everything), access), async (asked, reader) => {
        const counted = await counts(feed.log, { request: asked, access: reader });
        expect(counted).toEqual(await counts(eachAlone, { request: asked, access: reader }));
        expect(counted.complete).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("of many events of one kind count each once", async () => {
    const asked = { conditions: {}, buckets: 1, by: "namespace", sinceMs: nowMs - COMMIT_MS } as const;
    const counted = await counts(feed.log, { request: asked, access: everything });
    expect(counted).toMatchObject({
      total: EVENTS_OF_ONE_KIND,
      values: [{ value: "default", count: EVENTS_OF_ONE_KIND }],
    });
  });
});

async function counts(log: FeedLog, asked: Parameters<typeof countEvents>[2]) {
  // However slow the machine is, no budget ends it.
  const task = await new ReadScheduler({ maxWorkMs: 1e9, clock: { elapsed: () => 0 } }).begin();
  return countEvents(log, task, asked);
}

/** The same log, that cannot do one thing. */
function without(log: FeedLog, missing: keyof FeedLog): FeedLog {
  return new Proxy(log, {
    get: (target, name) => {
      if (name === missing) return undefined;
      const value = Reflect.get(target, name) as unknown;
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

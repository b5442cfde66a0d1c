import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEventFilter } from "../../src/publishers/selection/event-filter.ts";
import { EVERYTHING, type Access } from "../../src/publishers/selection/access.ts";
import { compileFilter } from "../../src/publishers/selection/filter-expression.ts";
import { readNewestFirst, startBefore } from "../../src/publishers/pages/newest-first.ts";
import { readPage, type Page } from "../../src/publishers/pages/page.ts";
import { ReadScheduler } from "../../src/publishers/work/read-scheduler.ts";
import type { Cursor } from "../../src/schemas/cursor.ts";
import { ASPECTS, OPS, type LogEntry } from "../../src/schemas/draft.ts";
import { SEVERITY_NAMES } from "../../src/schemas/severity.ts";
import { EVENT_TYPES, type EventConditions } from "../../src/schemas/subscription-schema.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { controlDraft, draft } from "../support/drafts.ts";
import { LogContext, START_MS, type OpenLog } from "./log-context.ts";

const RESOURCES = ["jobs", "nodes", "allocations"] as const;
const NAMESPACES = ["default", "prod", "-"];
const KEYS = ["a", "b"];
const SIGNALS = ["allocation.failed", "node.down"];
const BATCHES = 6;
const BATCH_EVENTS = 400;
const BATCH_MS = 60_000;

const facts = {
  resource: fc.constantFrom(...RESOURCES),
  namespace: fc.constantFrom(...NAMESPACES),
  severity: fc.constantFrom(...SEVERITY_NAMES),
};
const changes = fc
  .record({
    ...facts,
    key: fc.constantFrom(...KEYS),
    op: fc.constantFrom(...OPS),
    aspect: fc.constantFrom(...ASPECTS),
    signals: fc.subarray(SIGNALS),
  })
  .map(({ op, resource, ...rest }) => {
    const noun = resource.slice(0, -1);
    return draft({ ...rest, op, resource, type: `nomad.${noun}.${op === "delete" ? "deleted" : "updated"}` });
  });
const controls = fc
  .record({ ...facts, namespace: fc.constantFrom(...NAMESPACES, "*"), isOfFeed: fc.boolean() })
  .map(({ isOfFeed, ...scope }) =>
    controlDraft(
      "control",
      "nomad.feed.scope",
      isOfFeed ? { ...scope, resource: null, namespace: null } : scope,
    ),
  );
const events = fc.oneof({ weight: 9, arbitrary: changes }, { weight: 1, arbitrary: controls });

const some = <Value>(values: readonly Value[]) => fc.subarray([...values], { minLength: 1, maxLength: 2 });
const conditions = fc.record(
  {
    types: some([...RESOURCES, "feed", ...EVENT_TYPES.filter((type) => /job|feed/.test(type))]),
    namespaces: some(NAMESPACES),
    ops: some(OPS),
    aspects: some(ASPECTS),
    signals: some(SIGNALS),
    subjects: some(["jobs/default/a", "nodes/-/b", "allocations/prod/a"]),
    minSeverity: fc.constantFrom(...SEVERITY_NAMES),
    filters: fc
      .constantFrom('resource.id == "a"', 'severity != "INFO"', 'op == "update" and aspect == "spec"')
      .map((text) => [compileFilter(text, SIGNALS)]),
  },
  { requiredKeys: [] },
);
const time = fc.option(fc.integer({ min: -1, max: BATCHES * BATCH_MS }), { nil: undefined });
const onlyDefault: Access = {
  name: "default only",
  maySee: ({ namespace }) => namespace === "default" || namespace === null,
};

interface Asked {
  readonly conditions: EventConditions;
  readonly access: Access;
  readonly sinceMs: number | undefined;
  readonly untilMs: number | undefined;
  readonly limit: number;
}

/** Pages of a log, in both directions. */
export function eventPagesContract(name: string, open: OpenLog): void {
  describe(`pages of events of ${name}`, () => {
    const t = new LogContext(open);
    const reads = new ReadScheduler({ maxWorkMs: 30_000, clock: systemClock });
    let log: LogEntry[];
    beforeAll(async () => {
      await t.open();
      const all = fc.sample(events, { numRuns: BATCHES * BATCH_EVENTS, seed: 7 });
      for (let batch = 0; batch < BATCHES; batch += 1) {
        t.nowMs = START_MS + batch * BATCH_MS;
        await t.append(...all.slice(batch * BATCH_EVENTS, (batch + 1) * BATCH_EVENTS));
      }
      await t.log.trim({ maxEvents: all.length - 50 });
      log = await t.readAll();
    }, 60_000);
    afterAll(() => t.under.dispose());

    const recordedMs = ({ sequence }: LogEntry) =>
      START_MS + Math.floor((sequence - 1) / BATCH_EVENTS) * BATCH_MS;

    function expected({ conditions: wanted, access, sinceMs, untilMs }: Asked): number[] {
      const passes = createEventFilter(wanted, access);
      return log
        .filter((entry) => recordedMs(entry) >= (sinceMs ?? 0) && recordedMs(entry) < (untilMs ?? Infinity))
        .filter((entry) => passes(entry))
        .map(({ sequence }) => sequence);
    }

    async function allOf(readOne: (cursor: Cursor | undefined) => Promise<Page>): Promise<number[]> {
      const found: number[] = [];
      let cursor: Cursor | undefined;
      for (;;) {
        const page = await readOne(cursor);
        found.push(...page.entries.map(({ sequence }) => sequence));
        if (page.isLast) return found;
        expect(page.cursor).not.toEqual(cursor);
        ({ cursor } = page);
      }
    }

    const backwards = (asked: Asked) =>
      allOf(async (cursor) => {
        const start = await startBefore(t.log, cursor ? { kind: "cursor", cursor } : { kind: "latest" });
        return readNewestFirst(t.log, await reads.begin(), { ...asked, start, maxBytes: 1 << 20 });
      });

    const forwards = (asked: Asked) =>
      allOf(async (cursor) => {
        const { sequence: head } = await t.log.head();
        const since = await t.log.cursorAt(asked.sinceMs ?? 0);
        const filter = createEventFilter(asked.conditions, asked.access);
        const { limit, untilMs } = asked;
        const from = { cursor: cursor ?? since, filter, limit, untilMs, maxBytes: 1 << 20 };
        const page = await readPage(t.log, await reads.begin(), from);
        return { ...page, isLast: page.isLast || page.cursor.sequence === head };
      });

    test("backwards hold what passes, and forwards the same in the other order", async () => {
      const asked = fc.record({
        conditions: conditions,
        access: fc.constantFrom(EVERYTHING, onlyDefault),
        sinceMs: time.map((ms) => ms && START_MS + ms),
        untilMs: time.map((ms) => ms && START_MS + ms),
        limit: fc.constantFrom(7, 100, 1000),
      });
      await fc.assert(
        fc.asyncProperty(asked, async (one) => {
          const all = expected(one);
          expect(await backwards(one)).toEqual(all.toReversed());
          expect(await forwards(one)).toEqual(all);
        }),
        { numRuns: 40 },
      );
    }, 120_000);
  });
}

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEventFilter, createKindsTest, kindsOf } from "../../src/publishers/selection/event-filter.ts";
import { ASPECTS, OPS, type EventFacts, type LogEntry } from "../../src/schemas/draft.ts";
import { RESOURCE_TYPES, RESOURCES } from "../../src/schemas/resources.ts";
import { SEVERITIES, SEVERITY_NAMES } from "../../src/schemas/severity.ts";
import type { EventConditions } from "../../src/schemas/subscription-schema.ts";
import { entryOf } from "../support/drafts.ts";

const SIGNALS = ["allocation.failed", "node.down", "job.stopped"];
const namespaces = fc.constantFrom("default", "prod", "-");
const some = <T>(values: readonly T[]) =>
  fc.option(fc.subarray([...values], { minLength: 1 }), { nil: undefined });

const change = fc
  .record({
    resource: fc.constantFrom(...RESOURCE_TYPES),
    namespace: namespaces,
    op: fc.constantFrom(...OPS),
    aspect: fc.constantFrom(...ASPECTS),
    signals: fc.subarray(SIGNALS),
    severity: fc.constantFrom(...SEVERITY_NAMES),
  })
  .map((facts) => entryOf({ ...facts, type: `nomad.${RESOURCES[facts.resource].noun}.updated` }));

const conditions = fc
  .record({
    types: some([...RESOURCE_TYPES, "nomad.job.updated", "nomad.node.deleted", "feed"]),
    namespaces: some(["default", "prod", "-"]),
    ops: some(OPS),
    aspects: some(ASPECTS),
    signals: some(SIGNALS),
    minSeverity: fc.option(fc.constantFrom(...SEVERITY_NAMES), { nil: undefined }),
  })
  .map((record): EventConditions => {
    const present = Object.entries(record).filter(([, value]) => value !== undefined);
    return Object.fromEntries(present);
  });

describe("createKindsTest", () => {
  it("leaves out no events of which one passes, and all where none is of a kind that is wanted", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 5 }), conditions, (events, wanted) => {
        const mayPass = createKindsTest(wanted)(kindsOf(events));
        const passes = createEventFilter(wanted);
        expect(mayPass || events.every((event) => !passes(event))).toBe(true);
        const named = wanted.types?.some((type) =>
          events.some(({ resource, type: own }) => type === resource || type === own),
        );
        expect(mayPass).toBe(named ?? true);
      }),
    );
  });

  it("leaves control events to the filter", () => {
    const control = entryOf({ type: "nomad.feed.epoch", op: null, resource: null });
    expect(createKindsTest({ types: ["nodes"] })(kindsOf([control]))).toBe(true);
  });
});

describe("createEventFilter", () => {
  it("passes a change that meets every condition, each by any of its values", () => {
    fc.assert(
      fc.property(change, conditions, (facts, wanted) => {
        const meets = <T>(values: readonly T[] | undefined, ...own: T[]) =>
          values === undefined || values.some((value) => own.includes(value));
        const expected =
          meets(wanted.types, String(facts.resource), facts.type) &&
          meets(wanted.namespaces, String(facts.namespace)) &&
          meets<unknown>(wanted.ops, facts.op) &&
          meets<unknown>(wanted.aspects, facts.aspect) &&
          meets(wanted.signals, ...facts.signals) &&
          (wanted.minSeverity === undefined || SEVERITIES[facts.severity] >= SEVERITIES[wanted.minSeverity]);
        expect(createEventFilter(wanted)(facts)).toBe(expected);
      }),
    );
  });

  const control = (overrides: Partial<EventFacts>): LogEntry =>
    entryOf({ type: "nomad.feed.scope", op: null, aspect: null, key: null, severity: "WARN", ...overrides });
  const staleJobs = control({ resource: "jobs", namespace: "default" });
  const staleAllNodes = control({ resource: "nodes", namespace: "-" });
  const staleAllJobs = control({ resource: "jobs", namespace: "*" });
  const epoch = control({ type: "nomad.feed.epoch", resource: null, namespace: null });

  it.each<[EventConditions, LogEntry, boolean]>([
    [{ types: ["jobs"] }, staleJobs, true],
    [{ types: ["nomad.job.deleted"] }, staleJobs, true],
    [{ types: ["nodes"] }, staleJobs, false],
    [{ types: ["feed"] }, staleJobs, true],
    [{ types: ["nomad.feed.scope"] }, staleJobs, true],
    [{ types: ["nomad.feed.baseline"] }, staleJobs, false],
    [{ namespaces: ["default"] }, staleJobs, true],
    [{ namespaces: ["prod"] }, staleJobs, false],
    [{ namespaces: ["prod"] }, staleAllJobs, true],
    [{ namespaces: ["prod"] }, staleAllNodes, false],
    [{ namespaces: ["-"] }, staleAllNodes, true],
    [{ subjects: ["jobs/default/web"] }, staleJobs, true],
    [{ subjects: ["jobs/prod/web"] }, staleJobs, false],
    [{ subjects: ["jobs/prod/web"] }, staleAllJobs, true],
    [{ ops: ["delete"], aspects: ["spec"], signals: ["node.down"] }, staleJobs, true],
    [{ minSeverity: "WARN" }, staleJobs, true],
    [{ minSeverity: "ERROR" }, staleJobs, false],
    [{ types: ["nodes"], namespaces: ["prod"], subjects: ["jobs/a/b"], ops: ["create"] }, epoch, true],
  ])("control event, case %#: %j", (wanted, facts, passes) => {
    expect(createEventFilter(wanted)(facts)).toBe(passes);
  });
});

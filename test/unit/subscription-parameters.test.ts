import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileFilter, InvalidFilter } from "../../src/publishers/selection/filter-expression.ts";
import { parseSince } from "../../src/schemas/since.ts";
import {
  FORMATS,
  InvalidParameter,
  PARAMETERS,
  parseSubscription,
  type Format,
} from "../../src/schemas/subscription-schema.ts";

const NOW_MS = Date.parse("2026-08-22T10:00:00Z");
const parse = (query: string, format: Format = "websocket", lastEventId?: string) =>
  parseSubscription(new URLSearchParams(query), {
    format,
    nowMs: NOW_MS,
    signals: ["allocation.failed"],
    compileFilter,
    ...(lastEventId !== undefined && { lastEventId }),
  });

function filterRefusal({ field, message, expected, hint = "" }: InvalidFilter): Refusal {
  return { field, message, allowed: [...expected, hint].filter((text) => text !== "") };
}

interface Refusal {
  readonly field: string;
  readonly message: string;
  readonly allowed: readonly string[];
  readonly nearest?: string | undefined;
}

/** What was refused; undefined where nothing was. */
function refusalOf(query: string, format?: Format): Refusal | undefined {
  try {
    parse(query, format);
    return undefined;
  } catch (error) {
    if (error instanceof InvalidParameter) return error;
    if (error instanceof InvalidFilter) return filterRefusal(error);
    throw error;
  }
}

describe("parseSubscription", () => {
  it("reads every parameter", () => {
    expect(
      parse(
        "types=jobs,nomad.node.updated&types=feed&namespaces=default&ops=create&aspects=spec&signals=allocation.failed" +
          "&subjects=jobs/default/a/b&minSeverity=WARN&cursor=abc-12&limit=3",
      ),
    ).toEqual({
      conditions: {
        types: ["jobs", "nomad.node.updated", "feed"],
        namespaces: ["default"],
        ops: ["create"],
        aspects: ["spec"],
        signals: ["allocation.failed"],
        subjects: ["jobs/default/a/b"],
        minSeverity: "WARN",
      },
      start: { kind: "cursor", cursor: { epoch: "abc", sequence: 12 } },
      onExpired: "fail",
      order: "oldest-first",
      payload: "full",
      limit: 3,
    });
    expect(parse("snapshot=true&onexpired=snapshot&payload=thin&consumer=pager.1")).toEqual({
      conditions: {},
      start: { kind: "snapshot" },
      onExpired: "snapshot",
      order: "oldest-first",
      payload: "thin",
      consumer: "pager.1",
    });
  });

  it("counts a repeated value once", () => {
    expect(parse("types=jobs,jobs&types=jobs").conditions.types).toEqual(["jobs"]);
  });

  it("starts streams at what comes and pages at what is there", () => {
    const starts = FORMATS.map((format) => [format, parse("", format).start.kind, parse("", format).limit]);
    expect(starts).toEqual([
      ["websocket", "latest", undefined],
      ["sse", "latest", undefined],
      ["ndjson", "latest", undefined],
      ["page", "earliest", 100],
    ]);
  });

  it("takes the last event id before cursor and since, and refuses a bad one", () => {
    expect(parse("cursor=earliest", "sse", "abc-7").start).toEqual({
      kind: "cursor",
      cursor: { epoch: "abc", sequence: 7 },
    });
    expect(() => parse("", "sse", "7")).toThrow(expect.objectContaining({ field: "Last-Event-ID" }));
    expect(parse("snapshot=true", "sse", "abc-7").start.kind).toBe("cursor");
    expect(parse("snapshot=false").start.kind).toBe("latest");
  });

  it.each([
    ["snapshot=true&cursor=latest", "websocket", "snapshot"],
    ["snapshot=true&since=10m", "ndjson", "snapshot"],
    ["snapshot=true", "page", "snapshot"],
    ["snapshot=yes", "sse", "snapshot"],
    ["onexpired=snapshot", "page", "onexpired"],
    ["onexpired=latest", "sse", "onexpired"],
    ["payload=small", "page", "payload"],
    ["consumer=", "sse", "consumer"],
    ["consumer=a%20b", "sse", "consumer"],
    [`consumer=${"a".repeat(65)}`, "websocket", "consumer"],
  ] as const)("refuses %s in a %s", (query, format, field) => {
    expect(refusalOf(query, format)?.field).toBe(field);
  });

  it("answers any query with a subscription or with the name of a field and what it allows", () => {
    const name = fc.oneof(fc.constantFrom(...PARAMETERS), fc.string());
    const value = fc.oneof(fc.constantFrom("jobs", "WARN", "10m", "earliest", "1", "a,b", ""), fc.string());
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), fc.constantFrom(...FORMATS), (pairs, format) => {
        const error = refusalOf(new URLSearchParams(pairs).toString(), format);
        const named = pairs.map(([field]) => field);
        expect(error === undefined || (named.includes(error.field) && error.allowed.length > 0)).toBe(true);
        expect(error?.message.length ?? 0).toBeLessThan(300);
      }),
    );
  });

  it("takes some filters, which must all hold, and not any number", () => {
    const { filters } = parse("filter=op==update&filter=A==1").conditions;
    expect(JSON.stringify(filters)).toBe('[{"text":"op==update"},{"text":"A==1"}]');
    expect(refusalOf("filter=op==update&".repeat(9))).toMatchObject({
      field: "filter",
      allowed: ["at most 8"],
    });
    expect(refusalOf("filter=op==updat")).toMatchObject({ field: "filter" });
  });

  it("suggests only what is near", () => {
    const nearestOf = (query: string) => refusalOf(query)?.nearest;
    expect(nearestOf("typs=jobs")).toBe("types");
    expect(nearestOf("types=Job")).toBe("jobs");
    expect(nearestOf("cursor=last")).toBe("latest");
    expect(nearestOf("ops=x")).toBeUndefined();
    expect(nearestOf("types=volumes/claims")).toBeUndefined();
  });
});

describe("parseSince", () => {
  it.each([
    ["90s", 90_000],
    ["10m", 600_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    ["2d", 172_800_000],
    ["2026-08-22T09:00:00Z", 3_600_000],
    ["2026-08-22T09:00:00.5Z", 3_599_500],
    ["2026-08-22T11:00:00+02:00", 3_600_000],
    ["2026-08-22T11:00:00 02:00", 3_600_000],
  ])("%s", (text, agoMs) => {
    expect(parseSince(text, NOW_MS)).toBe(NOW_MS - agoMs);
  });

  it.each([
    "",
    "10",
    "m",
    "30m1h",
    "-10m",
    "yesterday",
    "2026-08-22",
    "2026-08-22T09:00:00",
    "2026-13-22T09:00:00Z",
  ])("refuses %j", (text) => {
    expect(parseSince(text, NOW_MS)).toBeUndefined();
  });
});

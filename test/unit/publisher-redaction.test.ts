import { describe, expect, it } from "vitest";
import { buildChangeEvents } from "../../src/events/build.ts";
import { Redaction } from "../../src/publishers/redaction/redaction.ts";
import { sealDraft, type EventDraft, type LogEntry } from "../../src/schemas/draft.ts";
import { changeEventSchema } from "../../src/schemas/event-schema.ts";
import type { RedactionRule } from "../../src/schemas/redaction-schema.ts";
import type { ResourceType } from "../../src/schemas/resources.ts";
import { changeOf, contextOf } from "../support/event-fixtures.ts";

const JOB = { ID: "web", Name: "web", Namespace: "default", CreateIndex: 7, ModifyIndex: 9 };
const SECRET = "hunter2";

function entryOf(resource: ResourceType, before: object | undefined, after: object | undefined): LogEntry {
  const [event] = buildChangeEvents(changeOf(resource, before, after), contextOf());
  if (event === undefined) throw new Error("no event");
  return { ...event, sequence: 1, json: sealDraft(event, "e", 1) };
}

function dataOf({ json }: LogEntry): Record<string, unknown> {
  return { ...changeEventSchema.parse(JSON.parse(json)).data };
}

function redacted(entry: LogEntry, ...rules: RedactionRule[]): LogEntry {
  const [result] = new Redaction(rules).entries([entry]);
  return result ?? entry;
}

describe("a path", () => {
  const created = entryOf("jobs", undefined, {
    ...JOB,
    Meta: { PASSWORD: SECRET, "a/b": SECRET, pin: 1234567890123456789n.toString(), plain: "x" },
  });

  it.each([
    ["/Meta/PASSWORD", ["/after/Meta/PASSWORD"]],
    ["/Meta/a~1b", ["/after/Meta/a~1b"]],
    ["/Meta", ["/after/Meta"]],
    ["/Meta/*", ["/after/Meta/PASSWORD", "/after/Meta/a~1b", "/after/Meta/pin", "/after/Meta/plain"]],
    ["/**/PASSWORD", ["/after/Meta/PASSWORD"]],
    ["/**/Meta/**/plain", ["/after/Meta/plain"]],
  ])("%s is redacted, and that is said", (path, places) => {
    const data = dataOf(redacted(created, { paths: [path] }));
    expect(data["redacted"]).toEqual(places);
    expect(JSON.stringify(data["after"])).toContain("[redacted]");
  });

  it.each(["/Meta/OTHER", "/PASSWORD", "/Meta/PASSWORD/more", "/*/*/*"])(
    "%s that leads nowhere leaves the event as it is",
    (path) => {
      expect(redacted(created, { paths: [path] })).toBe(created);
    },
  );

  it("is redacted in a deleted object, and in changes at, below and above it", () => {
    const old = { ...JOB, Meta: { PASSWORD: SECRET }, Deep: { Secret: { a: SECRET } } };
    const rule = { paths: ["/Meta/*", "/Deep/Secret"] };
    const gone = redacted(entryOf("jobs", old, undefined), rule);
    expect(dataOf(gone)).toMatchObject({
      before: { Meta: { PASSWORD: "[redacted]" }, Deep: { Secret: "[redacted]" } },
      redacted: ["/before/Meta/PASSWORD", "/before/Deep/Secret"],
    });
    const updated = (from: object, to: object) =>
      redacted(entryOf("jobs", from, { ...to, ModifyIndex: 10 }), rule);
    const { Meta: _meta, ...without } = old;
    const at = updated(old, { ...old, Meta: { PASSWORD: "other-hunter2" } });
    const below = updated(old, { ...old, Deep: { Secret: { a: "hunter2!" } } });
    const above = updated(without, old);
    for (const [{ json }, path, place] of [
      [at, "/Meta/PASSWORD", "/from"],
      [below, "/Deep/Secret/a", "/to"],
      [above, "/Meta", "/to/PASSWORD"],
    ] as const) {
      expect(json).not.toContain(SECRET);
      const { changes, redacted: places } = JSON.parse(json).data as {
        changes: { path: string }[];
        redacted: string[];
      };
      const position = changes.findIndex((change) => change.path === path);
      expect(places).toContain(`/changes/${position}${place}`);
    }
  });

  it("is redacted where the event's block of relations says the same, for filters too", () => {
    const allocation = {
      ID: "a1",
      Name: "web.api[0]",
      Namespace: "default",
      JobID: "web",
      NodeID: "n1",
      TaskGroup: "api",
      CreateIndex: 1,
      ModifyIndex: 2,
    };
    const entry = redacted(entryOf("allocations", undefined, allocation), { paths: ["/JobID", "/Name"] });
    expect(entry).toMatchObject({ job: "[redacted]", node: "n1", key: "a1" });
    expect(dataOf(entry)).toMatchObject({
      resource: { id: "a1", name: "[redacted]", job: "[redacted]", group: "api", node: "n1" },
      redacted: expect.arrayContaining(["/resource/job", "/resource/name"]) as string[],
    });
  });
});

describe("a pattern", () => {
  it("redacts the whole text wherever it matches: values, names, and names in the paths of changes", () => {
    const before = {
      ...JOB,
      Meta: { a: "token=hunter2;", hunter2: "1", "hunter2-b": "2" },
      List: ["x", "hunter2"],
    };
    const entry = redacted(
      entryOf("jobs", before, { ...before, ModifyIndex: 10, Meta: { ...before.Meta, hunter2: "3" } }),
      {
        patterns: ["hunter[0-9]"],
      },
    );
    expect(entry.json).not.toContain(SECRET);
    expect(dataOf(entry)).toMatchObject({
      after: { Meta: { a: "[redacted]", "[redacted]": "3", "[redacted] 2": "2" }, List: ["x", "[redacted]"] },
      changes: expect.arrayContaining([{ path: "/Meta/[redacted]", from: "1", to: "3" }]) as object[],
    });
    expect(dataOf(entry)["redacted"]).toEqual(
      expect.arrayContaining(["/after/Meta/a", "/after/Meta/[redacted] 2", "/after/List/1"]),
    );
  });

  it("redacts a reason that the feed passes on, and nothing else of what it says itself", () => {
    const json = JSON.stringify({
      data: { scope: { resource: "jobs", namespace: "hunter2" }, state: "stale", reason: "hunter2 said no" },
    });
    const facts = { ...entryOf("jobs", undefined, JOB), op: null, key: null, json };
    expect(JSON.parse(redacted(facts, { patterns: ["hunter2"] }).json)).toEqual({
      data: {
        scope: { resource: "jobs", namespace: "hunter2" },
        state: "stale",
        reason: "[redacted]",
        redacted: ["/reason"],
      },
    });
  });
});

describe("rules", () => {
  const created = entryOf("jobs", undefined, { ...JOB, Meta: { PASSWORD: SECRET } });

  it.each<[RedactionRule, boolean]>([
    [{ paths: ["/Meta"], resources: ["jobs"] }, true],
    [{ paths: ["/Meta"], resources: ["nodes"] }, false],
    [{ paths: ["/Meta"], namespaces: ["ops", "default"] }, true],
    [{ paths: ["/Meta"], namespaces: ["ops"] }, false],
    [{ paths: ["/Meta"], resources: ["jobs"], namespaces: ["ops"] }, false],
  ])("%j apply where they say: %s", (rule, applies) => {
    expect(redacted(created, rule) !== created).toBe(applies);
  });

  it("leave every number as it was written, and are not applied twice", () => {
    const text =
      '{"ID":"web","Name":"web","Namespace":"default","CreateIndex":7,"ModifyIndex":18446744073709551615,"At":1795434687866379238,"Meta":{"PASSWORD":"hunter2"}}';
    const [draft] = buildChangeEvents(changeOf("jobs", undefined, text), contextOf());
    const entry = redacted(
      { ...created, json: sealDraft(draft as EventDraft, "e", 1) },
      { paths: ["/Meta/*"] },
    );
    expect(entry.json).toContain('"ModifyIndex":18446744073709551615,"At":1795434687866379238');
    const again = new Redaction([{ paths: ["/Meta/*"] }]);
    expect(again.eventText(entry.json)).toBe(entry.json);
  });

  it("pay once for an event, whoever reads it again, until other rules come", () => {
    const redaction = new Redaction([{ paths: ["/Meta/*"] }]);
    const read = () => redaction.entries([{ ...created }])[0];
    const first = read();
    expect(first?.json).not.toContain(SECRET);
    expect(read()).toBe(first);
    redaction.configure([]);
    expect(read()?.json).toContain(SECRET);
    expect(() => redaction.configure([{ patterns: ["("] }])).toThrow("(");
  });
});

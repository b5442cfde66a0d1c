import * as fc from "fast-check";
import { expect, test } from "vitest";
import { applyChanges } from "../../packages/client/src/apply-changes.ts";
import { buildChangeEvents, buildSnapshotEvent } from "../../src/events/build.ts";
import type { JsonChange } from "../../src/events/json-diff.ts";
import { Redaction } from "../../src/publishers/redaction/redaction.ts";
import { sealDraft, type EventDraft, type LogEntry } from "../../src/schemas/draft.ts";
import { changeEventSchema } from "../../src/schemas/event-schema.ts";
import { changeOf, contextOf, stubOf } from "../support/event-fixtures.ts";

const SECRET = 's3cr3t"\\\u2028é';
const PATTERN = "s3cr3t";

const ref = { resource: "jobs", namespace: "default", key: "web" } as const;

/** Text with the secret somewhere in it, or without. */
const text = fc.oneof(
  fc.constantFrom("running", "", "[redacted]", "__proto__", "a/b", "~1"),
  fc.string({ unit: "binary", maxLength: 5 }),
  fc.tuple(fc.string({ maxLength: 3 }), fc.string({ maxLength: 3 })).map(([a, b]) => a + SECRET + b),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    text,
    fc.integer(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(text, tie("value"), { maxKeys: 4 }),
  ),
}));
const stub = fc.dictionary(text, value, { maxKeys: 5 }).map((members) => ({
  ...members,
  Meta: { KEY: SECRET },
  ID: "web",
  Name: SECRET,
  Namespace: "default",
  CreateIndex: 7,
}));

/** All texts within: values and names. */
function textsOf(json: unknown): string[] {
  if (typeof json === "string") return [json];
  if (typeof json !== "object" || json === null) return [];
  return Object.entries(json).flatMap(([name, inner]) => [name, ...textsOf(inner)]);
}

function sealed(draft: EventDraft): LogEntry {
  return { ...draft, sequence: 1, json: sealDraft(draft, "e", 1) };
}

const whole = new Redaction([{ patterns: [PATTERN] }]);

test("no text with a secret survives in an event, its overflow or its object, whatever they hold", () => {
  fc.assert(
    fc.property(stub, stub, fc.constantFrom(1200, 65_536), (before, after, maxEventBytes) => {
      const context = contextOf({}, { maxEventBytes });
      const drafts = [
        ...buildChangeEvents(
          changeOf("jobs", { ...before, ModifyIndex: 8 }, { ...after, ModifyIndex: 9 }),
          context,
        ),
        ...buildChangeEvents(changeOf("jobs", undefined, after), context),
        ...buildChangeEvents(changeOf("jobs", before, undefined), context),
        buildSnapshotEvent(
          { resource: "jobs", namespace: "default", key: "web" },
          stubOf(JSON.stringify(after)),
          context,
        ),
      ];
      const texts = whole.entries(drafts.map(sealed)).map(({ json }) => json);
      texts.push(...drafts.flatMap(({ overflow }) => (overflow === null ? [] : [whole.dataText(overflow)])));
      texts.push(
        ...whole
          .states([{ ref, rev: "9", stub: Buffer.from(JSON.stringify(after)) }])
          .map((entry) => entry.stub.toString()),
      );
      for (const json of texts) {
        expect(json).not.toMatch(/[\u2028\u2029\n]/);
        expect(textsOf(JSON.parse(json)).filter((each) => each.includes(PATTERN))).toEqual([]);
      }
      for (const { json } of whole.entries(drafts.map(sealed))) changeEventSchema.parse(JSON.parse(json));
    }),
    { numRuns: 100 },
  );
});

test("what a path names is nowhere, and all that no rule names stays as it was", () => {
  const byPath = new Redaction([{ paths: ["/Meta/*", "/Name"] }]);
  const clean = fc.dictionary(
    fc.constantFrom("a", "b", "Tags"),
    fc.oneof(fc.integer(), fc.constant("x"), fc.array(fc.constant("y"))),
  );
  fc.assert(
    fc.property(clean, clean, (before, after) => {
      const named = { ID: "web", Name: SECRET, Namespace: "default", CreateIndex: 7 };
      const [old, fresh] = [
        { ...before, ...named, ModifyIndex: 8, Meta: { KEY: `old ${SECRET}` } },
        { ...after, ...named, ModifyIndex: 9, Meta: { KEY: SECRET } },
      ];
      const [draft] = buildChangeEvents(changeOf("jobs", old, fresh), contextOf());
      const entry = sealed(draft as EventDraft);
      const [redacted] = byPath.entries([entry]);
      const { data } = JSON.parse(redacted?.json ?? "") as {
        data: { after: object; changes?: JsonChange[]; redacted: string[] };
      };
      expect(textsOf(data).filter((each) => each.includes(PATTERN))).toEqual([]);
      expect(data.after).toEqual({ ...fresh, Name: "[redacted]", Meta: { KEY: "[redacted]" } });
      const [was] = byPath.states([{ ref, rev: "8", stub: Buffer.from(JSON.stringify(old)) }]);
      const { changes = [] } = data;
      expect(applyChanges(JSON.parse(was?.stub.toString() ?? ""), changes)).toEqual(data.after);
      const original = JSON.parse(entry.json) as { data: object };
      for (const place of data.redacted) {
        const names = place.split("/").slice(1);
        const found = names.reduce<unknown>(
          (inner, name) => (inner as Record<string, unknown>)[name],
          original.data,
        );
        expect(found).toContain(SECRET);
      }
    }),
  );
});

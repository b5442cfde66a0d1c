import * as fc from "fast-check";
import { expect, test } from "vitest";

import { buildChangeEvents, buildSnapshotEvent } from "../../src/events/build.ts";
import { buildControlEvent } from "../../src/events/control.ts";
import { Forbidden } from "../../src/http/errors.ts";
import { problemAnswer } from "../../src/http/problem.ts";
import { sealDraft } from "../../src/schemas/draft.ts";
import { errorFrame, objectFrame } from "../../src/schemas/frames-schema.ts";
import { jsonText, lineSafe } from "../../src/schemas/line-safe.ts";
import { changeOf, contextOf } from "../support/event-fixtures.ts";

/** Where Python's str.splitlines ends a line, which is the most anybody does. */
const LINE_ENDS = ["\n", "\r", "\v", "\f", "\u001c", "\u001d", "\u001e", "\u0085", "\u2028", "\u2029"];
/** What some terminals obey. */
const C1_CONTROLS = /[\u0080-\u009f]/;

const awkward = fc.string({
  unit: fc.constantFrom(
    "a",
    '"',
    "\\",
    "\n",
    "\r",
    "\u000b",
    "\u001c",
    "\u0085",
    "\u009b",
    "\u2028",
    "\u2029",
    "🚀",
  ),
  minLength: 1,
  maxLength: 6,
});

/** Not with a backslash: V8 13.6 takes the name `a\\n` for one that ended with a backslash in an object before. */
const awkwardName = awkward.filter((name) => !name.includes("\\"));

function expectOneLine(text: string): void {
  expect(LINE_ENDS.filter((end) => text.includes(end))).toEqual([]);
  expect(text).not.toMatch(C1_CONTROLS);
}

const stub = fc.record({
  ID: awkward,
  Name: awkward,
  Namespace: awkward,
  Status: awkward,
  StatusDescription: awkward,
  Meta: fc.dictionary(awkwardName, fc.array(awkward, { maxLength: 2 }), { maxKeys: 2 }),
  CreateIndex: fc.constant(5),
  ModifyIndex: fc.integer({ min: 5, max: 9 }),
});

test("an event is one line for every reader of lines, and means what Nomad sent", () => {
  fc.assert(
    fc.property(stub, stub, (one, other) => {
      const moved = { ...other, ID: one.ID, Namespace: one.Namespace };
      for (const change of [
        changeOf("jobs", undefined, one),
        changeOf("jobs", one, moved),
        changeOf("jobs", one, undefined),
      ]) {
        const drafts = [
          ...buildChangeEvents(change, contextOf()),
          ...buildChangeEvents(change, contextOf({}, { maxEventBytes: 1500 })),
          ...(change.after === undefined ? [] : [buildSnapshotEvent(change.ref, change.after, contextOf())]),
        ];
        for (const draft of drafts) {
          const text = sealDraft(draft, "k3f9x2", 12);
          expectOneLine(text);
          expectOneLine(draft.overflow ?? "");
          const { data, subject } = JSON.parse(text) as { data: Record<string, unknown>; subject: string };
          expect(subject).toBe(`jobs/${one.Namespace}/${one.ID}`);
          expect(data["after"] ?? change.after?.value).toEqual(change.after?.value);
          expect(data["before"] ?? change.before?.value).toEqual(change.before?.value);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("so is a frame, a problem, an event about the feed, and any other answer", () => {
  const context = { source: "nomad://prod/global", id: "c1/1", time: "2026-08-22T10:15:30.412Z" };
  fc.assert(
    fc.property(stub, awkward, (one, said) => {
      const { ref } = changeOf("jobs", undefined, one);
      const bytes = Buffer.from(JSON.stringify(one));
      const { json } = objectFrame({ ref, rev: "9", stub: bytes }, { ...context, cursor: "k3f9x2-12" });
      expectOneLine(json);
      expect(JSON.parse(json)).toMatchObject({ data: { after: one } });
      expectOneLine(errorFrame(context, { code: "X", message: said, closeCode: 4400, cursor: "k3f9x2-12" }));
      expectOneLine(problemAnswer(new Forbidden(said)).body.slice(0, -1));
      const reason = { kind: "epoch", previous: null, current: "bbbbbb", reason: said } as const;
      const draft = buildControlEvent(reason, {
        ...context,
        nomadEpoch: 0,
        observedAt: context.time,
        discriminator: said,
      });
      expectOneLine(sealDraft(draft, "k3f9x2", 12));
      expect(JSON.parse(jsonText({ said }))).toEqual({ said });
      expectOneLine(jsonText({ said }));
    }),
    { numRuns: 200 },
  );
});

test("what needs nothing stays the very text", () => {
  const text = '{"a":"naïve – 日本 🚀\\u2028"}';
  expect(lineSafe(text)).toBe(text);
});

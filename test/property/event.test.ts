import * as fc from "fast-check";
import { expect, test } from "vitest";
import { buildChangeEvents, buildSnapshotEvent } from "../../src/events/build.ts";
import { diffJson, type JsonChange } from "../../src/events/json-diff.ts";
import { applyChanges, undoChanges } from "../../packages/client/src/apply-changes.ts";
import { sealDraft, type EventDraft } from "../../src/schemas/draft.ts";
import { changeEventSchema } from "../../src/schemas/event-schema.ts";
import { equalJson, parseExact, type Json } from "../../src/schemas/json.ts";
import { lineSafe } from "../../src/schemas/line-safe.ts";
import { RESOURCE_TYPES, RESOURCES, type ResourceType } from "../../src/schemas/resources.ts";
import { changeOf, contextOf, SAMPLES, stubOf } from "../support/event-fixtures.ts";

/** Numbers JavaScript cannot hold, names that need escaping or look like JavaScript's own, any Unicode. */
const name = fc.oneof(
  fc.constantFrom("a", "b", "a/b", "~", "~1", "", "__proto__", "constructor", "0", "Events", "ModifyIndex"),
  fc.string({ unit: "binary", maxLength: 4 }),
);
const number = fc.oneof(
  fc.integer().map(String),
  fc.bigInt({ min: 0n, max: 2n ** 63n }).map(String),
  fc.constantFrom("1e3", "1.50", "-0", "0.1e-7", "18446744073709551615"),
);
const string = fc.oneof(fc.string({ unit: "binary", maxLength: 6 }), fc.constantFrom("running", "\u2028"));

/** JSON text, as a server might write it. */
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom("null", "true", "false"),
    number,
    string.map((value) => JSON.stringify(value)),
    fc.array(tie("json"), { maxLength: 6 }).map((items) => `[${items.join(", ")}]`),
    objectText(tie("json")),
  ),
}));

function objectText(value: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .uniqueArray(fc.tuple(name, value), { maxLength: 6, selector: ([each]) => each })
    .map((members) => `{${members.map(([each, member]) => `${JSON.stringify(each)}: ${member}`).join(",")}}`);
}

/** Two values with much in common: arrays that grew, lost, or swapped elements; objects with other members. */
const related: fc.Arbitrary<[Json, Json]> = fc.oneof(
  fc.tuple(json, json).map(([a, b]): [Json, Json] => [parseExact(a), parseExact(b)]),
  fc
    .tuple(fc.array(json, { maxLength: 12 }), fc.nat(12), fc.nat(12), fc.array(json, { maxLength: 5 }))
    .map(([items, from, count, more]): [Json, Json] => {
      const values = items.map((item) => parseExact(item));
      return [
        { Events: values },
        { Events: [...values.slice(from, from + count), ...more.map((each) => parseExact(each))] },
      ];
    }),
  fc
    .tuple(fc.array(json, { maxLength: 8 }), fc.nat(8), fc.nat(3), fc.array(json, { maxLength: 3 }))
    .map(([items, at, removed, more]): [Json, Json] => {
      const values = items.map((item) => parseExact(item));
      return [values, values.toSpliced(at, removed, ...more.map((each) => parseExact(each)))];
    }),
);

test("changes turn before into after, undone they turn after into before", () => {
  fc.assert(
    fc.property(related, ([before, after]) => {
      const changes = diffJson(before, after);
      expect(equalJson(applyChanges(before, changes), after)).toBe(true);
      expect(equalJson(undoChanges(after, changes), before)).toBe(true);
      expect(changes.length === 0).toBe(equalJson(before, after));
    }),
    { numRuns: 600 },
  );
});

test("changes survive the wire: written and read again they still undo", () => {
  fc.assert(
    fc.property(related, ([before, after]) => {
      const read = parseExact(JSON.stringify(diffJson(before, after))) as unknown;
      expect(equalJson(undoChanges(after, read as ReturnType<typeof diffJson>), before)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

/** A stub's text: the sample's fields, some of them replaced by anything, some fields more. */
function stubText(resource: ResourceType): fc.Arbitrary<string> {
  const sample = SAMPLES[resource];
  const { keyField } = RESOURCES[resource];
  const fixed = new Set([keyField, "ID", "Name", "Namespace", "CreateIndex", "ModifyIndex"]);
  const replaceable = Object.keys(sample).filter((field) => !fixed.has(field));
  const indexes = fc.record({ create: fc.integer({ min: 1, max: 3 }), rev: fc.integer({ min: 1, max: 9 }) });
  return fc
    .tuple(
      fc.dictionary(fc.constantFrom(...replaceable), json, { maxKeys: 4 }),
      fc.dictionary(
        name.filter((each) => !Object.hasOwn(sample, each)),
        json,
        { maxKeys: 2 },
      ),
      indexes,
    )
    .map(([replaced, more, { create, rev }]) => {
      const members = new Map(Object.entries(sample).map(([field, value]) => [field, JSON.stringify(value)]));
      members.set("CreateIndex", String(create)).set("ModifyIndex", String(rev));
      for (const [field, value] of [...Object.entries(replaced), ...Object.entries(more)])
        members.set(field, value);
      return `{${[...members].map(([field, value]) => `${JSON.stringify(field)}: ${value}`).join(",")}}`;
    });
}

const change = fc
  .constantFrom(...RESOURCE_TYPES)
  .chain((resource) =>
    fc
      .tuple(fc.option(stubText(resource), { nil: undefined }), stubText(resource), fc.boolean())
      .map(([one, other, flip]) => (flip ? changeOf(resource, other, one) : changeOf(resource, one, other))),
  );

/** Members that only look like an index: kinds that Nomad gives none may have any. */
const ODD_INDEXES = [-1, 1.5, "-0", "99999999999999999999999"].map((index): [ReturnType<typeof changeOf>] => [
  changeOf(
    "services",
    undefined,
    `{"Namespace":"default","ServiceName":"web","Tags":["a"],"CreateIndex":${index},"ModifyIndex":${index}}`,
  ),
]);

const seal = (draft: EventDraft) => sealDraft(draft, "k3f9x2", 12345);

test("every event is one of its schema, and its stubs are the text Nomad sent", () => {
  fc.assert(
    fc.property(change, (each) => {
      for (const draft of buildChangeEvents(each, contextOf())) {
        const sealed = seal(draft);
        const event = changeEventSchema.parse(JSON.parse(sealed));
        expect(event.subject).toBe(`${each.ref.resource}/${each.ref.namespace}/${each.ref.key}`);
        expect([
          event.id,
          event.type,
          event.severitytext,
          event.data.aspect,
          event.data.op,
          event.time,
        ]).toEqual([draft.id, draft.type, draft.severity, draft.aspect, draft.op, draft.time]);
        const stub =
          draft.op === "delete"
            ? `"before":${lineSafe(String(each.before?.bytes))}`
            : `"after":${lineSafe(String(each.after?.bytes))}`;
        expect(sealed).toContain(`${stub},"rev"`);
      }
    }),
    { numRuns: 600, examples: ODD_INDEXES },
  );
});

test("an update's before is its after with the changes undone, read from the event alone", () => {
  fc.assert(
    fc.property(change, (each) => {
      fc.pre(each.op === "update");
      const [draft, second] = buildChangeEvents(each, contextOf());
      fc.pre(second === undefined && draft !== undefined);
      // Only the event's own text is used, as a consumer would.
      const event: unknown = parseExact(seal(draft));
      const { after, changes } = (event as { data: { after: Json; changes: JsonChange[] } }).data;
      expect(equalJson(undoChanges(after, changes), each.before?.value ?? null)).toBe(true);
    }),
  );
});

test("an event keeps to the size cap, and what was cut is kept whole", () => {
  fc.assert(
    fc.property(change, fc.integer({ min: 2048, max: 6000 }), (each, maxEventBytes) => {
      for (const draft of buildChangeEvents(each, contextOf({}, { maxEventBytes }))) {
        const sealed = seal(draft);
        expect(Buffer.byteLength(sealed)).toBeLessThanOrEqual(maxEventBytes);
        changeEventSchema.parse(JSON.parse(sealed));
        const [whole] = buildChangeEvents(each, contextOf()).filter(({ id }) => id === draft.id);
        expect(draft.overflow === null ? draft.tail : `"data":${draft.overflow}}`).toBe(whole?.tail);
      }
    }),
  );
});

/** What may happen to an object between two polls. */
type Step = "write" | "write without index" | "delete" | "delete and create" | "restore" | "nothing";
const steps = fc.array(
  fc.tuple(
    fc.constantFrom<Step>(
      "write",
      "write without index",
      "delete",
      "delete and create",
      "restore",
      "nothing",
    ),
    fc.integer({ min: 0, max: 3 }),
  ),
  { maxLength: 40, size: "max" },
);

test("no two events of an object's history share an id, through deletes, returns and restores", () => {
  fc.assert(
    fc.property(steps, (history) => {
      let [raft, nomadEpoch, fromIndex] = [100, 0, 100];
      let seen: string | undefined;
      let now: { create: number; rev: number; version: number } | undefined;
      const ids: string[] = [];
      for (const [step, pace] of history) {
        // Only what moves no index can be seen at the index of the previous poll.
        raft += step === "write without index" ? pace : Math.max(1, pace);
        let mode: "live" | "resync" = "live";
        const version = raft * 1000 + ids.length;
        if (step === "delete") now = undefined;
        if (step === "delete and create" || (step === "write" && now === undefined))
          now = { create: raft, rev: raft, version };
        else if (step === "write" && now !== undefined) now = { ...now, rev: raft, version };
        else if (step === "write without index" && now !== undefined) now = { ...now, version };
        else if (step === "restore") {
          [raft, nomadEpoch, mode] = [Math.max(50, raft - 20), nomadEpoch + 1, "resync"];
          now = { create: raft - 1, rev: raft - 1, version };
        }
        const text =
          now &&
          `{"Name":"qa","Version":${now.version},"CreateIndex":${now.create},"ModifyIndex":${now.rev}}`;
        if (text !== seen) {
          const observation = { mode, fromIndex: String(fromIndex), toIndex: String(raft) };
          const drafts = buildChangeEvents(
            changeOf("namespaces", seen, text),
            contextOf(observation, {
              nomadEpoch,
              ...(raft === fromIndex && { occasion: `7.${ids.length}` }),
            }),
          );
          ids.push(...drafts.map(({ id }) => id));
        }
        [seen, fromIndex] = [text, raft];
      }
      expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    }),
    { numRuns: 600 },
  );
});

test("a snapshot event of any stub is one of the schema", () => {
  fc.assert(
    fc.property(
      fc
        .constantFrom(...RESOURCE_TYPES)
        .chain((resource) => stubText(resource).map((stub) => ({ resource, stub }))),
      ({ resource, stub }) => {
        const { ref } = changeOf(resource, undefined, stub);
        const sealed = seal(
          buildSnapshotEvent(ref, stubOf(stub), contextOf({ fromIndex: null, since: null })),
        );
        changeEventSchema.parse(JSON.parse(sealed));
        expect(sealed).toContain(`"after":${lineSafe(stub)},"rev"`);
      },
    ),
  );
});

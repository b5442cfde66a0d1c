import * as fc from "fast-check";
import { expect, it } from "vitest";
import { buildChangeEvents } from "../../src/events/build.ts";
import { payloadText } from "../../src/publishers/selection/payload.ts";
import { sealDraft, type LogEntry } from "../../src/schemas/draft.ts";
import { changeEventSchema, type Enrichment } from "../../src/schemas/event-schema.ts";
import { withoutMembers } from "../../src/schemas/json-members.ts";
import { changeOf, contextOf } from "../support/event-fixtures.ts";

const BEFORE = `{"ID":"a1","Namespace":"default","Name":"a \\"data\\":{\\\\","JobID":"web","ClientStatus":"running","CreateIndex":5,"ModifyIndex":9,"ModifyTime":1795434687866379238}`;
const AFTER = BEFORE.replace("running", "failed").replace(":9,", ":10,").replace("238}", "239}");

function entryOf(before: string | undefined, after: string | undefined, found: Enrichment = {}): LogEntry {
  const change = changeOf("allocations", before, after);
  const [event] = buildChangeEvents(change, contextOf({}, { found: new Map([[change, found]]) }));
  if (event === undefined) throw new Error("Nothing changed");
  return { ...event, sequence: 7, json: sealDraft(event, "k3f9x2", 7) };
}

it("leaves out what the payload says, and the rest byte for byte", () => {
  const entry = entryOf(BEFORE, AFTER);
  expect(payloadText(entry, "full")).toBe(entry.json);
  const patch = payloadText(entry, "patch");
  expect(patch).toBe(entry.json.replace(`"after":${AFTER},`, ""));
  expect(patch).toContain('"from":1795434687866379238,"to":1795434687866379239');
  const thin = payloadText(entry, "thin");
  expect(Object.keys((JSON.parse(thin) as { data: object }).data)).toEqual([
    "op",
    "aspect",
    "signals",
    "resource",
    "rev",
    "observed",
  ]);
  for (const text of [patch, thin])
    expect(changeEventSchema.safeParse(JSON.parse(text)).error).toBeUndefined();
});

it("leaves out of a thin event what was found out beside the lists, and keeps it in a patch", () => {
  const entry = entryOf(BEFORE, AFTER, {
    actor: { kind: "token", id: "a", basis: "job-register" },
    spec: { unavailable: "why" },
    log: { unavailable: "why" },
    node: { unavailable: "why" },
  });
  const membersOf = (payload: "patch" | "thin") =>
    Object.keys((JSON.parse(payloadText(entry, payload)) as { data: object }).data);
  expect(membersOf("patch")).toEqual(expect.arrayContaining(["spec", "log", "node"]));
  expect(membersOf("thin")).toEqual(["op", "aspect", "signals", "resource", "actor", "rev", "observed"]);
});

it("leaves out the last state of what was deleted", () => {
  const entry = entryOf(BEFORE, undefined);
  expect(payloadText(entry, "patch")).toBe(entry.json.replace(`"before":${BEFORE},`, ""));
});

it("is made once for all who ask for it", () => {
  const entry = { ...entryOf(BEFORE, AFTER) };
  const first = payloadText(entry, "patch");
  Object.assign(entry, { json: "{}" });
  expect(payloadText(entry, "patch")).toBe(first);
});

it("leaves control events alone", () => {
  const json = '{"type":"nomad.feed.resync","data":{"changes":1,"after":2}}';
  expect(payloadText({ op: null, json }, "thin")).toBe(json);
});

it("cuts members out of any JSON as parsing and deleting would", () => {
  const names = fc.constantFrom("after", "before", "changes", "rev", 'a"b', "data");
  const object = fc.dictionary(names, fc.jsonValue());
  fc.assert(
    fc.property(
      fc.jsonValue(),
      object,
      fc.subarray(["after", "before", 'a"b']),
      fc.constantFrom(0, 2),
      (head, data, cut, indent) => {
        const text = JSON.stringify({ head, data }, undefined, indent);
        const left = Object.fromEntries(Object.entries(data).filter(([name]) => !cut.includes(name)));
        const found = withoutMembers(text, "data", new Set(cut));
        // A second parse: -0 is written as 0.
        expect(JSON.parse(found)).toEqual(JSON.parse(JSON.stringify({ head, data: left })));
      },
    ),
  );
});

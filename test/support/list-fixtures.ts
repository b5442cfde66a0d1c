import * as fc from "fast-check";

import type { Change, Stub } from "../../src/schemas/change.ts";
import { equalJson, isJsonObject, parseExact, type Json } from "../../src/schemas/json.ts";
import {
  RESOURCES,
  RESOURCE_TYPES,
  subjectOf,
  type ObjectRef,
  type Resource,
} from "../../src/schemas/resources.ts";
import { parseSnapshot, rebuildInSlices, type Snapshot } from "../../src/snapshots/snapshot.ts";
import { identityOf } from "./stub-identity.ts";

export function emptySnapshot(resource: Resource): Snapshot {
  return parseSnapshot(resource, Buffer.from("[]"));
}

/** A snapshot rebuilt from stubs, in one go. */
export function snapshotOfStubs(resource: Resource, stubs: readonly Buffer[]): Snapshot {
  return inOneGo(rebuildInSlices(resource, stubs));
}

/** Work in slices, without the pauses. */
export function inOneGo<Result>(work: Generator<void, Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** What a snapshot holds, in a form that can be compared. */
export function contents(snapshot: Snapshot): Map<string, string> {
  return new Map(
    [...snapshot.refs()].map((ref) => [subjectOf(ref), canonicalText(snapshot.get(ref)?.value ?? null)]),
  );
}

/** What a snapshot holds once changes were applied to it one by one. */
export function applied(snapshot: Snapshot, changes: readonly Change[]): Map<string, string> {
  const state = contents(snapshot);
  for (const change of changes) {
    if (change.op === "delete") state.delete(subjectOf(change.ref));
    else state.set(subjectOf(change.ref), canonicalText(change.after.value));
  }
  return state;
}

/** The diff as one would write it without a care for speed: the oracle for the fast one. */
export function plainDiff(previousBody: Buffer, body: Buffer, resource: Resource): Change[] {
  const previous = objectsOf(previousBody, resource);
  const next = objectsOf(body, resource);
  const changes: Change[] = [];
  for (const [subject, { ref, stub: after }] of next) {
    const before = previous.get(subject)?.stub;
    if (before === undefined) changes.push({ op: "create", ref, after });
    else if (!equalJson(before.value, after.value)) changes.push({ op: "update", ref, before, after });
  }
  for (const [subject, { ref, stub: before }] of previous) {
    if (!next.has(subject)) changes.push({ op: "delete", ref, before });
  }
  return changes;
}

/** Every object of a list body by its subject. Stubs' bytes are written anew. */
export function objectsOf(body: Buffer, resource: Resource): Map<string, { ref: ObjectRef; stub: Stub }> {
  const objects = new Map<string, { ref: ObjectRef; stub: Stub }>();
  const list = body.length === 0 ? null : parseExact(body.toString());
  for (const value of Array.isArray(list) ? list : []) {
    if (!isJsonObject(value)) throw new Error("not a list of objects");
    const ref = identityOf(resource, value);
    objects.set(subjectOf(ref), { ref, stub: { bytes: Buffer.from(JSON.stringify(value)), value } });
  }
  return objects;
}

/** Changes without what may differ between two ways to find them: their order and the spelling of stubs. */
export function comparable(changes: readonly Change[]): string[] {
  return changes
    .map(({ op, ref, before, after }) => `${subjectOf(ref)} ${op} ${canonical(before)} ${canonical(after)}`)
    .toSorted();
}

function canonical(stub: Stub | undefined): string {
  return stub === undefined ? "" : canonicalText(stub.value);
}

/** JSON text with members in the order of their names. */
export function canonicalText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.keys(value)
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${canonicalText(value[name] as Json)}`);
  return `{${members.join(",")}}`;
}

/** A list and the list a poll later, as bodies. */
export interface ListPair {
  readonly resource: Resource;
  readonly previous: Buffer;
  readonly next: Buffer;
}

type Member = readonly [name: string, text: string];
type Element = readonly Member[];

const AWKWARD_TEXTS = [
  "",
  "running",
  'say "hi"',
  "back\\slash\\",
  "{[,:]}",
  '"},{"ID":"x"',
  "naïve – 日本 🚀",
  "line\nbreak\ttab\u0000",
  "</script>&",
];

/** A string's JSON text, in one of the spellings that mean the same. */
const stringText = fc
  .tuple(
    fc.oneof(fc.constantFrom(...AWKWARD_TEXTS), fc.string({ unit: "grapheme", maxLength: 8 })),
    fc.boolean(),
  )
  .map(([text, escaped]) => (escaped ? escapeAll(JSON.stringify(text)) : JSON.stringify(text)));

/** Surrogate pairs become two escapes, as JSON wants. */
function escapeAll(text: string): string {
  return text.replaceAll(
    /[<>&\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const numberText = fc.oneof(
  fc.nat({ max: 9 }).map(String),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  fc.constantFrom("1795434687866379238", "1795434687866379239", "0", "-0", "1.0", "1e+21", "5.5E-07"),
);

const memberName = fc.constantFrom("a", "b", "exit_code", "ID", "Namespace", "ModifyIndex", 'q"uote', "été");

const { json: jsonText } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom("null", "true", "false", "{}", "[]"),
    numberText,
    stringText,
    fc.array(tie("json"), { maxLength: 3 }).map((items) => `[${items.join(",")}]`),
    fc
      .uniqueArray(fc.tuple(memberName, tie("json")), { selector: ([name]) => name, maxLength: 4 })
      .map(objectText),
  ),
}));

function objectText(element: Element): string {
  return `{${element.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
}

/** The members every stub of the kind has, and some of those its maps and nested objects are in. */
function stubMembers(resource: Resource): fc.Arbitrary<Element> {
  const shapes: Record<string, fc.Arbitrary<string>> = {
    CreateIndex: fc.nat({ max: 99 }).map(String),
    ModifyIndex: fc.nat({ max: 99 }).map(String),
    Status: stringText,
    ModifyTime: numberText,
    [MAPS[resource.type] ?? "Meta"]: jsonText,
    Anything: jsonText,
  };
  return fc.tuple(...Object.entries(shapes).map(([name, text]) => text.map((each): Member => [name, each])));
}

const MAPS: Partial<Record<Resource["type"], string>> = {
  jobs: "JobSummary",
  nodes: "Drivers",
  allocations: "TaskStates",
  deployments: "TaskGroups",
  evaluations: "FailedTGAllocs",
  namespaces: "Meta",
};

function identity(resource: Resource, number: number): Element {
  const key = resource.type === "jobs" ? `job/"${number}"\\` : `${"0123456789abcdef"[number % 16]}-${number}`;
  const own: Member = [resource.keyField, JSON.stringify(key)];
  return resource.namespaced
    ? [["Namespace", JSON.stringify(number % 3 === 0 ? "default" : "qa")], own]
    : [own];
}

/** What becomes of one object from a poll to the next. */
const fate = fc.record({
  kind: fc.constantFrom(
    "same",
    "same",
    "same",
    "reordered",
    "changed",
    "swapped",
    "mirrored",
    "deleted",
    "created",
    "rewritten",
  ),
  seed: fc.nat(),
});
type Fate = typeof fate extends fc.Arbitrary<infer Value> ? Value : never;

/** Lists of any kind and what a poll may make of them. */
export const listPair: fc.Arbitrary<ListPair> = fc.constantFrom(...RESOURCE_TYPES).chain((type) => {
  const resource = RESOURCES[type];
  const object = fc.record({ old: stubMembers(resource), fresh: stubMembers(resource), fate });
  return fc
    .record({
      objects: fc.array(object, { maxLength: 12 }),
      order: fc.constantFrom("same", "same", "moved", "random"),
      seed: fc.nat(),
    })
    .map(({ objects, order, seed }) => {
      const numbered = objects.map((each, number) => ({ ...each, identity: identity(resource, number) }));
      const previous = numbered
        .filter((each) => each.fate.kind !== "created")
        .map((each) => objectText([...each.identity, ...each.old]));
      const next = numbered
        .filter((each) => each.fate.kind !== "deleted")
        .map((each) => nextText(each.identity, each.old, each.fresh, each.fate));
      return { resource, previous: bodyOf(previous), next: bodyOf(inOrder(next, order, seed)) };
    });
});

function nextText(own: Element, old: Element, fresh: Element, { kind, seed }: Fate): string {
  if (kind === "created") return objectText([...own, ...fresh]);
  if (kind === "reordered") return shuffleAll(objectText([...own, ...old]), seed);
  if (kind === "mirrored") return JSON.stringify(mirror(parseExact(objectText([...own, ...old]))));
  if (kind === "rewritten") return JSON.stringify(parseExact(objectText([...own, ...old])), null, 1);
  if (kind === "same" || kind === "deleted") return objectText([...own, ...old]);
  const changed = old.map((member, at) => {
    if (kind === "changed") return at === seed % old.length ? (fresh[at] as Member) : member;
    const [name] = member;
    return [name, (old[(at + 1) % old.length] as Member)[1]] as const;
  });
  return objectText([...own, ...changed]);
}

function inOrder(texts: readonly string[], order: string, seed: number): string[] {
  if (order === "same" || texts.length === 0) return [...texts];
  if (order === "random") return shuffled(texts, seed);
  const from = seed % texts.length;
  const rest = texts.toSpliced(from, 1);
  return rest.toSpliced((seed * 7) % texts.length, 0, texts[from] as string);
}

/** The same with every array the other way round, which is a change unless the array is a palindrome. */
function mirror(value: Json): Json {
  if (Array.isArray(value)) return value.map(mirror).toReversed();
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, mirror(each)]));
}

/** The same JSON with the members of every object in another order. */
function shuffleAll(text: string, seed: number): string {
  return JSON.stringify(shuffleValue(parseExact(text), seed));
}

function shuffleValue(value: Json, seed: number): Json {
  if (Array.isArray(value)) return value.map((item) => shuffleValue(item, seed));
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([name, each]): [string, Json] => [
    name,
    shuffleValue(each, seed + 1),
  ]);
  return Object.fromEntries(shuffled(entries, seed));
}

function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  return items
    .map((item, at) => [Math.imul(seed + at * 2_654_435_761, 0x85ebca6b) >>> 0, item] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, item]) => item);
}

export function bodyOf(texts: readonly string[]): Buffer {
  return Buffer.from(`[${texts.join(",")}]`);
}

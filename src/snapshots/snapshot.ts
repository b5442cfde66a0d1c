import type { Change, Stub } from "../schemas/change.ts";
import { equalJson, isJsonObject, parseExact } from "../schemas/json.ts";
import { refOf, subjectOf, type ObjectRef, type Resource } from "../schemas/resources.ts";
import { MalformedList } from "./errors.ts";

export { MalformedList } from "./errors.ts";

/** A scope's last known objects, as the raw bytes Nomad sent. */
export interface Snapshot {
  readonly resource: Resource;
  readonly count: number;
  /** Size of the raw body kept, bytes. */
  readonly byteLength: number;
  get(ref: ObjectRef): Stub | undefined;
  /** In list order. */
  refs(): Iterable<ObjectRef>;
  /** Raw stubs in list order: views of the body, copy what you keep. */
  stubs(): Iterable<Buffer>;
}

export interface DiffStats {
  /** Objects in the new list. */
  readonly elements: number;
  /** Bytes that were the same and were not looked at further. */
  readonly skippedBytes: number;
  /** Objects parsed, because their bytes differed. */
  readonly parsed: number;
  /** Objects whose bytes differed only by the order of members, told without parsing. */
  readonly cleared: number;
}

export interface DiffResult {
  readonly next: Snapshot;
  /** In list order of the new list, deletes last. Stubs are copies: keeping one does not keep the list. */
  readonly changes: Change[];
  readonly stats: DiffStats;
}

export interface DiffOptions {
  /** Trust no checksum: parse and compare every object whose bytes differ. */
  readonly canonical?: boolean;
  /** Work between two yields, in bytes read one by one. */
  readonly sliceBytes?: number;
}

class PlainSnapshot implements Snapshot {
  readonly resource: Resource;
  readonly byteLength: number;
  readonly objects: ReadonlyMap<string, { readonly ref: ObjectRef; readonly stub: Stub }>;
  constructor(resource: Resource, byteLength: number, objects: PlainSnapshot["objects"]) {
    this.resource = resource;
    this.byteLength = byteLength;
    this.objects = objects;
  }
  get count(): number {
    return this.objects.size;
  }
  get(ref: ObjectRef): Stub | undefined {
    return this.objects.get(subjectOf(ref))?.stub;
  }
  *refs(): Iterable<ObjectRef> {
    for (const { ref } of this.objects.values()) yield ref;
  }
  *stubs(): Iterable<Buffer> {
    for (const { stub } of this.objects.values()) yield stub.bytes;
  }
}

export function emptySnapshot(resource: Resource): Snapshot {
  return new PlainSnapshot(resource, 0, new Map());
}

/** @throws MalformedList where the body is not one whole JSON array of keyed objects. */
export function parseSnapshot(resource: Resource, body: Buffer): Snapshot {
  const objects = new Map<string, { ref: ObjectRef; stub: Stub }>();
  const text = body.toString().trim();
  if (text === "") return new PlainSnapshot(resource, 0, objects);
  const elements = parseList(resource, text);
  const ranges = elementRanges(body);
  elements.forEach((value, position) => {
    if (!isJsonObject(value)) throw new MalformedList(resource, `element ${position} is not an object`);
    const ref = refOf(resource, value);
    if (ref === undefined)
      throw new MalformedList(resource, `element ${position} lacks ${resource.keyField} or Namespace`);
    if (objects.has(subjectOf(ref))) throw new MalformedList(resource, `${subjectOf(ref)} is there twice`);
    const [start, end] = ranges[position] as [number, number];
    objects.set(subjectOf(ref), { ref, stub: { bytes: Buffer.from(body.subarray(start, end)), value } });
  });
  return new PlainSnapshot(resource, body.length, objects);
}

function parseList(resource: Resource, text: string) {
  let value;
  try {
    value = parseExact(text);
  } catch (cause) {
    throw new MalformedList(resource, "it is not JSON", { cause });
  }
  if (value === null) return [];
  if (!Array.isArray(value)) throw new MalformedList(resource, "it is not an array");
  return value;
}

function elementRanges(body: Buffer): [number, number][] {
  const ranges: [number, number][] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (byte === 0x22) {
      while (body[++at] !== 0x22) if (body[at] === 0x5c) at++;
    } else if (byte === 0x7b || byte === 0x5b) {
      if (depth++ === 1) start = at;
    } else if ((byte === 0x7d || byte === 0x5d) && --depth === 1) ranges.push([start, at + 1]);
  }
  return ranges;
}

/** Rebuilds a snapshot from stubs kept elsewhere. */
export function snapshotOfStubs(resource: Resource, stubs: Iterable<Buffer>): Snapshot {
  const text = [...stubs].map((stub) => stub.toString()).join(",");
  return parseSnapshot(resource, Buffer.from(`[${text}]`));
}

/**
 * What differs between a snapshot and a new list. Yields between slices of work, so that the caller can let
 * others run. @throws MalformedList; nothing of the list is used then.
 */
export function* diffSnapshot(
  previous: Snapshot,
  body: Buffer,
  _options: DiffOptions = {},
): Generator<void, DiffResult> {
  yield;
  const next = parseSnapshot(previous.resource, body);
  const changes: Change[] = [];
  for (const ref of next.refs()) {
    const before = previous.get(ref);
    const after = next.get(ref) as Stub;
    if (before === undefined) changes.push({ op: "create", ref, after });
    else if (!equalJson(before.value, after.value)) changes.push({ op: "update", ref, before, after });
  }
  for (const ref of previous.refs()) {
    if (next.get(ref) === undefined) changes.push({ op: "delete", ref, before: previous.get(ref) as Stub });
  }
  return { next, changes, stats: { elements: next.count, skippedBytes: 0, parsed: next.count, cleared: 0 } };
}

/** The same in one go. */
export function diffWhole(previous: Snapshot, body: Buffer, options: DiffOptions = {}): DiffResult {
  const work = diffSnapshot(previous, body, options);
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** `next` plus these objects as they are in `previous`: for objects whose absence is not believed. */
export function retainObjects(next: Snapshot, previous: Snapshot, refs: readonly ObjectRef[]): Snapshot {
  const kept = refs.flatMap((ref) => (next.get(ref) === undefined ? (previous.get(ref)?.bytes ?? []) : []));
  return kept.length === 0 ? next : snapshotOfStubs(next.resource, [...next.stubs(), ...kept]);
}

import type { Stub } from "../schemas/change.ts";
import { isJsonObject, type Json, type JsonObject } from "../schemas/json.ts";
import { subjectOf, type ObjectRef, type Resource } from "../schemas/resources.ts";
import type { Element } from "./element-scan.ts";
import { MalformedList } from "./errors.ts";
import { parseExactFast } from "./exact-json.ts";
import { hashText, sameString, stringAt } from "./json-text.ts";
import type { Rows } from "./rows.ts";

/** A list as Nomad sent it: its raw body, never parsed whole, and where its elements are. */
export class RawList {
  readonly resource: Resource;
  readonly body: Buffer;
  readonly rows: Rows;
  /** Open-addressed hash table of row numbers + 1, made when first asked for. */
  #index: Uint32Array | undefined;

  constructor(resource: Resource, body: Buffer, rows: Rows) {
    this.resource = resource;
    this.body = body;
    this.rows = rows;
  }

  get count(): number {
    return this.rows.count;
  }

  /** -1 where there is no such object. */
  rowOfRef(ref: ObjectRef): number {
    if (ref.resource !== this.resource.type) return -1;
    const identity = hashText(ref.key, this.resource.namespaced ? hashText(ref.namespace) : undefined);
    return this.#find(identity, (row) => subjectOf(this.refAt(row)) === subjectOf(ref));
  }

  refAt(row: number): ObjectRef {
    return refFrom(this.resource, this.body, this.#placeOf(row));
  }

  /** A view of the body. */
  bytesAt(row: number): Buffer {
    return this.body.subarray(this.rows.start(row), this.rows.end(row));
  }

  /** Row of the object that an element of another body is a version of, or -1. */
  rowOf(body: Buffer, element: Element): number {
    return this.#find(element.identity, (row) => this.isSameObject(row, body, element));
  }

  isSameObject(row: number, body: Buffer, place: IdentityPlace): boolean {
    const own = this.#placeOf(row);
    return (
      sameString(this.body, own.keyAt, body, place.keyAt) &&
      (!this.resource.namespaced || sameString(this.body, own.namespaceAt, body, place.namespaceAt))
    );
  }

  /** @throws MalformedList where two elements are the same object. */
  assertDistinct(): void {
    this.#index ??= this.#buildIndex();
  }

  #find(identity: number, isIt: (row: number) => boolean): number {
    const index = (this.#index ??= this.#buildIndex());
    for (let slot = identity & (index.length - 1); ; slot = (slot + 1) & (index.length - 1)) {
      const row = (index[slot] as number) - 1;
      if (row < 0 || (this.rows.identity(row) === identity && isIt(row))) return row;
    }
  }

  #buildIndex(): Uint32Array {
    const { rows, count } = this;
    const index = new Uint32Array(2 ** Math.ceil(Math.log2(2 * count + 2)));
    for (let row = 0; row < count; row++) {
      const identity = rows.identity(row);
      let slot = identity & (index.length - 1);
      for (; index[slot] !== 0; slot = (slot + 1) & (index.length - 1)) {
        const other = (index[slot] as number) - 1;
        if (rows.identity(other) === identity && this.isSameObject(row, this.body, this.#placeOf(other))) {
          throw new MalformedList(this.resource, `${subjectOf(this.refAt(row))} is in it twice`);
        }
      }
      index[slot] = row + 1;
    }
    return index;
  }

  #placeOf(row: number): IdentityPlace {
    return { keyAt: this.rows.keyAt(row), namespaceAt: this.rows.namespaceAt(row) };
  }
}

/** Where the texts of an object's key and namespace begin in a body. */
export interface IdentityPlace {
  readonly keyAt: number;
  readonly namespaceAt: number;
}

export function refFrom(resource: Resource, body: Buffer, place: IdentityPlace): ObjectRef {
  const namespace = resource.namespaced ? stringAt(body, place.namespaceAt) : "-";
  return { resource: resource.type, namespace, key: stringAt(body, place.keyAt) };
}

/** A stub of its own, copied from a view of a body. @throws MalformedList where that is not JSON. */
export function stubOf(resource: Resource, view: Buffer): Stub {
  const bytes = Buffer.from(view);
  return { bytes, value: parseStub(resource, bytes) };
}

/** @throws MalformedList where the bytes are not a JSON object. */
function parseStub(resource: Resource, bytes: Buffer): JsonObject {
  let value: Json;
  try {
    value = parseExactFast(bytes.toString());
  } catch (cause) {
    throw new MalformedList(resource, "an object in it is not JSON", { cause });
  }
  if (!isJsonObject(value)) throw new MalformedList(resource, "an element is not an object");
  return value;
}

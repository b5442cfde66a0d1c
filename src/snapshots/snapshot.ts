import type { Change } from "../schemas/change.ts";
import type { ObjectRef, Resource } from "../schemas/resources.ts";

/**
 * A scope's last known objects: the raw list body Nomad sent and where its elements are. Never parsed whole.
 * PLACEHOLDER: interface only; the implementation replaces this file.
 */
export interface Snapshot {
  readonly count: number;
  readonly byteLength: number;
}

export interface DiffResult {
  readonly next: Snapshot;
  readonly changes: Change[];
  readonly stats: { readonly elements: number; readonly skippedBytes: number; readonly parsed: number; readonly cleared: number };
}

export interface SnapshotFunctions {
  /** Indexes a whole list body. @throws MalformedList where it is not one whole JSON array of keyed objects. */
  parse(resource: Resource, body: Buffer): Snapshot;
  /** Rebuilds a snapshot from stubs kept elsewhere. */
  fromStubs(resource: Resource, stubs: Iterable<Buffer>): Snapshot;
  /** Yields between slices of work so that the caller can let others run. */
  diff(previous: Snapshot, body: Buffer, options: { canonical?: boolean }): Generator<void, DiffResult>;
  /** `next` plus the stubs of these refs as they are in `previous`: for objects whose absence is not believed. */
  retain(next: Snapshot, previous: Snapshot, refs: readonly ObjectRef[]): Snapshot;
}

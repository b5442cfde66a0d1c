import type { NomadStub } from "./nomad-stubs.ts";
import type {
  ChangeData,
  ChangeEvent,
  ChangeEventType,
  ChangeVerb,
  ConnectionFrame,
  ControlEvent,
  ObjectFrame,
  ResourceBlock,
  ResourceType,
} from "./wire.ts";

type Absent = {
  readonly before?: undefined;
  readonly after?: undefined;
  readonly changes?: undefined;
  readonly version?: undefined;
};
type With<Parts> = Omit<Absent, keyof Parts> & Parts;

/** What of `data` depends on what happened. All of it may be absent where the event has a `dataref`. */
interface VerbData<Stub> {
  readonly created: With<{ readonly op: "create"; readonly after?: Stub }>;
  readonly updated: With<{
    readonly op: "update";
    readonly after?: Stub;
    readonly changes?: NonNullable<ChangeData["changes"]>;
  }>;
  readonly deleted: With<{ readonly op: "delete"; readonly before?: Stub }>;
  readonly snapshot: With<{ readonly op: "snapshot"; readonly after?: Stub }>;
  readonly version: With<{ readonly op: "version"; readonly version: number }>;
}

type CommonData = Omit<ChangeData, "op" | "resource" | "before" | "after" | "changes" | "version">;

/** Versions that no poll saw are told of jobs alone. */
type VerbOf<Type extends ResourceType> = Type extends "jobs" ? ChangeVerb : Exclude<ChangeVerb, "version">;

/** A change of one Nomad object, or a version of a job that no poll saw; narrows by `type`. */
export type ChangeEventOf<
  Type extends ResourceType = ResourceType,
  Verb extends ChangeVerb = ChangeVerb,
> = Type extends ResourceType
  ? Verb extends VerbOf<Type>
    ? Omit<ChangeEvent, "type" | "data"> & {
        readonly type: ChangeEventType<Type, Verb>;
        readonly data: CommonData & {
          readonly resource: ResourceBlock & { readonly type: Type };
        } & VerbData<NomadStub<Type>>[Verb];
      }
    : never
  : never;

/** Events that were asked for are gone; the next ones follow `data.cursor`. */
export type Gap = Extract<ConnectionFrame, { type: "nomad.feed.gap" }>;

/** Everything up to `data.cursor` came or did not match. */
export type Bookmark = Extract<ConnectionFrame, { type: "nomad.feed.bookmark" }>;

/** Stands before and after the objects of a snapshot, which replaces what one held of them. */
export type SnapshotMark = Extract<ConnectionFrame, { type: "nomad.feed.snapshot" }>;

/** An object of a snapshot, as it is at the snapshot's cursor. */
export type SnapshotObject<Type extends ResourceType = ResourceType> = Type extends ResourceType
  ? Omit<ObjectFrame, "type" | "data"> & {
      readonly type: ChangeEventType<Type, "snapshot">;
      readonly data: Omit<ObjectFrame["data"], "resource" | "after"> & {
        readonly resource: ResourceBlock & { readonly type: Type };
        readonly after?: NomadStub<Type>;
      };
    }
  : never;

export interface Connected {
  readonly type: "client.connected";
  /** False the first time. */
  readonly again: boolean;
  /** Where the stream starts. */
  readonly cursor: string;
  /** nomad://<cluster>/<region> */
  readonly feed: string;
  readonly epoch: string;
  /** Whether a gap follows. */
  readonly gap: boolean;
}

export interface Disconnected {
  readonly type: "client.disconnected";
  readonly reason: string;
  readonly retryInMs: number;
  /** There was no connection to lose. */
  readonly unreachable: boolean;
}

/** Items that come only where they are asked for. */
type Notice = Bookmark | Connected | Disconnected;
export type NoticeType = Notice["type"];

/** What `types` may name: resources, event types, `feed` for control events. */
export type TypeName = ResourceType | "feed" | ChangeEventType | ControlEvent["type"];

type Selected<Name extends TypeName> = Name extends ResourceType
  ? ChangeEventOf<Name>
  : Name extends ChangeEventType
    ? Extract<ChangeEventOf, { type: Name }>
    : never;

/** An event type stands for its resource. */
type ResourceOf<Name extends TypeName> = Selected<Name>["data"]["resource"]["type"];

/** What comes of a subscription to these types. Control events pass where they concern what was asked for. */
export type Item<
  Types extends TypeName = TypeName,
  Notices extends NoticeType = never,
  Snapshot extends boolean = false,
> =
  | Selected<Types>
  | ControlEvent
  | Gap
  | Extract<Notice, { type: Notices }>
  | (Snapshot extends true ? SnapshotMark | SnapshotObject<ResourceOf<Types>> : never);

/**
 * Whether an item is about an object of this kind, as a change or in a snapshot; narrows where the event type is not
 * known.
 */
export function isAbout<Type extends ResourceType, Given extends { readonly type: string }>(
  item: Given,
  resource: Type,
): item is Extract<Given, { readonly data: { readonly resource: { readonly type: Type } } }> {
  const data: unknown = "data" in item ? item.data : undefined;
  if (typeof data !== "object" || data === null || !("resource" in data)) return false;
  const about = data.resource;
  return typeof about === "object" && about !== null && "type" in about && about.type === resource;
}

import type { AnyItem } from "./feed.ts";
import type { ChangeEventOf, SnapshotObject } from "./items.ts";
import type { NomadStub } from "./nomad-stubs.ts";
import { sameJson } from "./same-json.ts";
import type { ResourceBlock, ResourceType } from "./wire.ts";

/** One Nomad object as the feed last saw it. */
export type NomadObject<Type extends ResourceType = ResourceType> = Type extends ResourceType
  ? {
      readonly resource: ResourceBlock & { readonly type: Type };
      /** The list stub as Nomad sent it. */
      readonly stub: NomadStub<Type>;
      /** Raft index of this version; compare with !=, never with >. */
      readonly rev: string | null;
    }
  : never;

/** Without `before` it is new, without `after` it is gone. */
export interface StateChange<Type extends ResourceType = ResourceType> {
  /** `<resource>/<namespace>/<key>` */
  readonly subject: string;
  readonly before?: NomadObject<Type>;
  readonly after?: NomadObject<Type>;
}

export type ObjectItem = Exclude<ChangeEventOf, { data: { op: "version" } }> | SnapshotObject;

/** Objects by subject, from a snapshot and the changes after it. A new snapshot replaces all, at its end. */
export class StateFold {
  readonly objects: Map<string, NomadObject> = new Map();
  #incoming: Map<string, NomadObject> | undefined;

  /** What the item changes. */
  take(item: AnyItem): StateChange[] {
    if (item.type === "nomad.feed.snapshot") return this.#mark(item.data.phase);
    if (!isObjectItem(item)) return [];
    const after = objectOf(item);
    if (this.#incoming === undefined) return told(this.#put(item.subject, after));
    if (after !== undefined) this.#incoming.set(item.subject, after);
    return [];
  }

  #mark(phase: "begin" | "end"): StateChange[] {
    const incoming = this.#incoming;
    this.#incoming = phase === "begin" ? new Map() : undefined;
    if (phase === "begin" || incoming === undefined) return [];
    const gone = [...this.objects.keys()].filter((subject) => !incoming.has(subject));
    return [
      ...gone.flatMap((subject) => told(this.#put(subject, undefined))),
      ...[...incoming].flatMap(([subject, after]) => {
        const change = this.#put(subject, after);
        return isSame(change) ? [] : told(change);
      }),
    ];
  }

  #put(subject: string, after: NomadObject | undefined): StateChange {
    const before = this.objects.get(subject);
    if (after === undefined) this.objects.delete(subject);
    else this.objects.set(subject, after);
    return { subject, ...(before && { before }), ...(after && { after }) };
  }
}

/** What was not there and is not there is no change. */
function told(change: StateChange): StateChange[] {
  return change.before === undefined && change.after === undefined ? [] : [change];
}

/** A stub can change while its rev stays: Nomad gives some fields no index. */
function isSame({ before, after }: StateChange): boolean {
  return before?.rev === after?.rev && sameJson(before?.stub, after?.stub);
}

/** Whether it says how an object is. Of a job that passed over a version the next event does. */
export function isObjectItem(item: AnyItem): item is ObjectItem {
  return "subject" in item && "resource" in item.data && item.data.op !== "version";
}

function objectOf({ data }: ObjectItem): NomadObject | undefined {
  if (data.after === undefined) return undefined;
  // Resource and stub belong together; TypeScript does not follow that through a union.
  return { resource: data.resource, stub: data.after, rev: data.rev.current } as NomadObject;
}

import { originalText, undoChanges, type ChangeEventOf, type JsonChange } from "nomad-changefeed-client";
import { factsOf, type EventFacts } from "../../feed/event-facts.ts";
import { sequenceOf } from "../../words/cursor.ts";
import { parseExact } from "../../words/exact-json.ts";
import type { Stub } from "./stubs.ts";
import { isBeyond, type Horizon, type Moment } from "./moment.ts";

/** The object after one of its events. */
export interface Version {
  readonly facts: EventFacts;
  readonly event: ChangeEventOf;
  readonly sequence: number;
  readonly isDeletion: boolean;
  /** It tells of a version of a job that no poll saw: how the job was, the event before it says. */
  readonly isPassed: boolean;
  /** The event was too large: its object comes apart from it. */
  readonly isLarge: boolean;
}

export function versionOf(event: ChangeEventOf): Version {
  return {
    facts: factsOf(event),
    event,
    sequence: sequenceOf(event.cursor),
    isDeletion: event.data.op === "delete",
    isPassed: event.data.op === "version",
    isLarge: event.dataref !== undefined,
  };
}

interface ExactData {
  readonly after?: Stub;
  readonly before?: Stub;
  readonly changes?: readonly JsonChange[];
}

const exactData = new WeakMap<ChangeEventOf, ExactData>();

function dataOf({ event }: Version): ExactData {
  let data = exactData.get(event);
  if (data === undefined) {
    ({ data } = parseExact(originalText(event)) as { data: ExactData });
    exactData.set(event, data);
  }
  return data;
}

export function changesOf(version: Version): readonly JsonChange[] {
  return dataOf(version).changes ?? [];
}

/** The object after the event, of a deletion the last there was; undefined where the event does not hold it. */
export function stubOf(version: Version): Stub | undefined {
  const { after, before } = dataOf(version);
  return after ?? before;
}

/** The object before the event: the changes undone. Undefined where it cannot be told, or there was none. */
function stubBefore(version: Version): Stub | undefined {
  const { after, changes } = dataOf(version);
  if (after === undefined || changes === undefined || version.event.data.changesTruncated !== undefined) {
    return undefined;
  }
  try {
    return undoChanges(after, changes);
  } catch {
    return undefined;
  }
}

/** How the object was at a moment. */
export type StateThen =
  /** `version`: the event that made it so; null where that was before the oldest one that is kept. */
  | { readonly kind: "there"; readonly version: Version | null; readonly stub: Stub | undefined }
  | { readonly kind: "deleted"; readonly version: Version }
  | { readonly kind: "not-yet" }
  | { readonly kind: "unknown" };

interface Known extends Horizon {
  /** Oldest first. */
  readonly versions: readonly Version[];
  /** As the feed has it now; undefined where there is none. */
  readonly current: Stub | undefined;
  /** What is older than the first version is not loaded yet. */
  readonly isCut: boolean;
}

export function stateAt(known: Known, moment: Moment): StateThen {
  const { current, isCut } = known;
  const versions = known.versions.filter(({ isPassed }) => !isPassed);
  if (isBeyond(moment, known)) return { kind: "unknown" };
  const at = lastAt(versions, moment);
  const version = versions[at];
  if (version !== undefined) return afterVersion(version);
  const [first] = versions;
  if (first === undefined) {
    return current === undefined ? { kind: "unknown" } : { kind: "there", version: null, stub: current };
  }
  if (isCut) return { kind: "unknown" };
  if (first.event.data.op === "create") return { kind: "not-yet" };
  const stub = first.isDeletion ? stubOf(first) : stubBefore(first);
  return stub === undefined ? { kind: "unknown" } : { kind: "there", version: null, stub };
}

function afterVersion(version: Version): StateThen {
  return version.isDeletion
    ? { kind: "deleted", version }
    : { kind: "there", version, stub: stubOf(version) };
}

/** Which version was the last one at a moment; -1: it was before the first. The feed is in the order of recording. */
export function lastAt(versions: readonly Version[], moment: Moment): number {
  if (moment.kind === "now") return versions.length - 1;
  if (moment.kind === "untold") return -1;
  return versions.findLastIndex(({ sequence, facts }) =>
    moment.kind === "cursor" ? sequence <= moment.sequence : facts.recordedMs <= moment.ms,
  );
}

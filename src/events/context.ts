import type { Change } from "../schemas/change.ts";
import type { Enrichment, PollMode } from "../schemas/event-schema.ts";
import type { KeptVersion } from "./spec/versions-in.ts";

/** One poll of a scope's list, and the previous one. Indexes are raft indexes in decimal. */
interface Observation {
  readonly mode: PollMode;
  readonly fromIndex: string | null;
  readonly toIndex: string;
  /** RFC 3339, of the previous poll. */
  readonly since: string | null;
  /** RFC 3339 with milliseconds. */
  readonly observedAt: string;
}

/** A version of a job that was overtaken before a poll saw it, and what was found out about it. */
export interface SkippedVersion {
  readonly kept: KeptVersion;
  readonly found: Pick<Enrichment, "actor" | "spec">;
}

/** What was found out about a change beside the lists; of a job also about the versions that it passed over, oldest first. */
export interface Found extends Enrichment {
  readonly skipped?: readonly SkippedVersion[];
}

export interface EventContext {
  /** nomad://<cluster>/<region> */
  readonly source: string;
  readonly nomadEpoch: number;
  readonly observation: Observation;
  /** Namespaces in which older objects may be deleted a second time, and the index below which they are older. */
  readonly reusedNamespaces?: ReadonlyMap<string, string>;
  /**
   * Names this poll among those of its scope, where its index is that of the previous poll and tells nothing: content
   * can change and change back while no index moves.
   */
  readonly occasion?: string;
  /**
   * Hints led to these objects, which were read one by one: their versions, `<subject>@<rev>`, that are known to follow
   * the ones before, since Nomad's event stream told of no other in between. Absent: a whole list was read.
   */
  readonly hinted?: ReadonlySet<string>;
  /** Versions, `<subject>@<rev>`, that were past when they were read: a later one follows at once. */
  readonly superseded?: ReadonlySet<string>;
  /** What was found out about these changes beside the lists, as far as it was asked for. */
  readonly found?: ReadonlyMap<Change, Found>;
  /** Where the commit of these changes stands in its trace, as W3C Trace Context writes it. Absent: it is not recorded. */
  readonly traceparent?: string | undefined;
  /** Bytes an event may have as JSON; by default 64 KiB. */
  readonly maxEventBytes?: number;
}

import type { FeedLog } from "../feed/log.ts";
import type { Consistency, NomadApi } from "../nomad/api.ts";
import type { Change } from "../schemas/change.ts";
import type { Scope } from "../schemas/scope.ts";
import type { Snapshot } from "../snapshots/snapshot.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Tracer } from "../telemetry/tracing.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Enricher } from "./enrichment/enricher.ts";
import type { Backlog } from "./backlog.ts";
import type { Clock } from "../shared/clock.ts";
import type { Hints } from "./hints/hinted-reading.ts";
import type { FeedOutage } from "./feed-outage.ts";
import type { OutageReporter } from "./outage-reporter.ts";
import type { QueryWait } from "./query-wait.ts";
import type { Condition } from "./scope-condition.ts";

/** What every scope's loop works with. */
export interface PollerDeps {
  readonly nomad: NomadApi;
  readonly log: FeedLog;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: () => number;
  readonly outages: OutageReporter;
  readonly feedOutage: Pick<FeedOutage, "failed" | "read" | "covers">;
  readonly queryWait: QueryWait;
  readonly backlog: Backlog;
  /** Null: only whole lists are read. */
  readonly hints: Hints | null;
  /** Finds out what no list says, where that is asked for. */
  readonly enricher?: Pick<Enricher, "of"> | undefined;
  /** Absent: nothing is traced. */
  readonly tracer?: Tracer | undefined;
}

export interface PollerOptions {
  /** `nomad://<cluster>/<region>`. */
  readonly source: string;
  /** Names this process to people looking at the log. */
  readonly owner: string;
  readonly waitMs: number;
  readonly consistency: Consistency;
  /** What a scope's first poll leaves in the log: one mark, or one `snapshot` event an object as well. */
  readonly baseline: "marker" | "events";
  readonly maxEventBytes: number;
  /** How scopes are read: whole lists, single objects where hints come, or what is cheaper for each. */
  readonly reading: "auto" | "lists" | "hinted";
  /** How often a resource is read that Nomad has no index of. */
  readonly pollEveryMs: number;
  /** How often a whole list is read in any case, and held to what the feed has told of it. */
  readonly fullEveryMs: number;
  /** How long a scope may go unread before the feed says that it is stale. */
  readonly staleAfterMs: number;
  /** How often the checkpoint follows an index that moves without a change. */
  readonly checkpointEveryMs: number;
  /** Steady and burst rate of polls of one scope. */
  readonly pace: { readonly perSecond: number; readonly burst: number };
  /** Beyond so many bytes of lists that are not in the log yet, no further list is asked for. */
  readonly maxBacklogBytes?: number;
}

/** What a scope's owner may want to know or add; all optional. */
export interface ScopeHooks {
  /** Called with the scope's objects after every accepted poll that changed them, and after the first. */
  onSnapshot?(snapshot: Snapshot): void;
  /** Called when the index moved: something was written, be it that the objects look the same. */
  onWrite?(): void;
  /** Scopes that this change proves to begin empty. */
  knownEmptyScopesOf?(change: Change): readonly Scope[];
}

export interface ScopeReport {
  readonly scope: Scope;
  readonly baselined: boolean;
  readonly condition: Condition;
  /** Whether its objects are read one by one, as hints name them, or in whole lists. */
  readonly reading: "lists" | "hinted";
  /** Why the condition is not ok. */
  readonly reason: string | null;
  /** Index of the last accepted poll, in decimal. */
  readonly index: string | null;
  readonly count: number;
  /** Ms since 1970, to be shown. */
  readonly lastOkAtMs: number | null;
  /** How long ago that is, on a clock that nobody sets. */
  readonly sinceOkMs: number | null;
  /** Whether it was read at the last try, and what was found is in the log. */
  readonly upToDate: boolean;
  /** By the clock's `elapsed`. */
  readonly lastMoveAtMs: number;
  /** Whether it has long been starting over for a reason that does not pass by itself. */
  readonly broken: boolean;
}

/** `stopped`: the signal aborted; `fenced`: another claim; `drained`: the namespace is gone and empty. */
export type Outcome = "stopped" | "fenced" | "drained";

import type { ConsistentRead, FeedLog } from "../../feed/log.ts";
import type { Access } from "../../publishers/selection/access.ts";
import type { ReadTask } from "../../publishers/work/read-scheduler.ts";

/** What facts are gathered from, and for whom. */
export interface GatherParts {
  readonly log: Pick<FeedLog, "history" | "scanHistory" | "overflow">;
  /** As of the moment that is asked about. */
  readonly read: Pick<ConsistentRead, "cursor" | "entries">;
  readonly task: ReadTask;
  readonly access: Access;
}

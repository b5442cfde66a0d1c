import type { FeedEvent, HistoryPage, HistoryQuery } from "nomad-changefeed-client";
import { isChange } from "../../feed/event-facts.ts";
import type { DeploymentFacts } from "../../rollouts/facts.ts";
import { isAfter } from "../../words/cursor.ts";
import { isOver } from "../../words/deployment.ts";
import { given } from "../../words/given.ts";
import { boundsOf, type ShownTime } from "../../words/shown-time.ts";

/** Where the past of a rollout is read from. */
export interface RolloutSource {
  readonly history: (query: HistoryQuery) => Promise<HistoryPage>;
}

/** How much of a rollout was read. */
export interface RolloutRead {
  /** Why steps are missing at the beginning; undefined: none are. */
  readonly missing: string | undefined;
}

const MOST_EVENTS = 20_000;
const BEFORE_MS = 2000;
const AFTER_MS = 5000;
const PAGE = 1000;

/**
 * Reads what happened to the job of a rollout while it went on, oldest first, and gives it to `take` page by page. The log
 * is asked by when it recorded, which may be later than when things happened: the end is where it recorded the end.
 * @throws RequestFailed
 */
export async function readRollout(
  rollout: DeploymentFacts,
  shown: ShownTime,
  { history }: RolloutSource,
  take: (events: readonly FeedEvent[]) => void,
): Promise<RolloutRead> {
  const { subject, job, namespace, createdMs } = rollout;
  const { until, through } = boundsOf(shown);
  const own = await history({ subject, order: "oldest-first", limit: PAGE, ...given({ until }) });
  const [first] = own.events;
  const sinceMs = createdMs ?? (first && Date.parse(first.recordedtime));
  let page = await history({
    job,
    namespace,
    order: "oldest-first",
    limit: PAGE,
    ...given({
      since: sinceMs === undefined ? undefined : timeText(sinceMs - BEFORE_MS),
      until: earlier(until, endOf(rollout, own.events)),
    }),
  });
  let count = 0;
  for (;;) {
    take(page.events.filter(({ cursor }) => !isAfter(cursor, through)));
    count += page.events.length;
    if (page.next === undefined || count >= MOST_EVENTS) break;
    page = await history(page.next);
  }
  return { missing: missingOf(first, page.next !== undefined) };
}

/** By then all of it was recorded, RFC 3339; undefined while it goes on. */
function endOf({ modifiedMs, isOver: over }: DeploymentFacts, own: readonly FeedEvent[]): string | undefined {
  if (!over) return undefined;
  const last = own.find((event) => isChange(event) && hasEnded(event));
  if (last !== undefined) return timeText(Date.parse(last.recordedtime) + AFTER_MS);
  return modifiedMs === null ? undefined : timeText(modifiedMs + AFTER_MS);
}

function hasEnded(event: FeedEvent): boolean {
  const { after, before } = event.data as { readonly after?: Stub; readonly before?: Stub };
  const status = (after ?? before)?.["Status"];
  return typeof status === "string" && isOver(status);
}

type Stub = Readonly<Record<string, unknown>>;

function missingOf(first: FeedEvent | undefined, isCut: boolean): string | undefined {
  if (isCut)
    return `Only its first ${MOST_EVENTS.toLocaleString("en")} events were read: what came after is missing.`;
  if (first !== undefined && (first.data as { readonly op?: string }).op === "create") return undefined;
  return "The log does not go back to its beginning: what was before is missing.";
}

function earlier(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

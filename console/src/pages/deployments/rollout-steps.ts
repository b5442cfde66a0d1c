import type { HistoryPage, HistoryQuery } from "nomad-changefeed-client";
import { isFeedItem } from "../../feed/event-facts.ts";
import type { Following, FollowOptions } from "../../feed/followed.ts";
import type { DeploymentFacts } from "../../rollouts/facts.ts";
import { sequenceOf } from "../../words/cursor.ts";
import type { ShownTime } from "../../words/shown-time.ts";
import { readRollout, type RolloutSource } from "./rollout-reading.ts";
import { stepOf, type Step } from "./steps.ts";

export interface Steps {
  readonly steps: readonly Step[];
  /** All that the log has of it has been read. */
  readonly isWhole: boolean;
  /** What is missing, and why, in words. */
  readonly missing: readonly string[];
  readonly error: unknown;
}

export const NO_STEPS: Steps = { steps: [], isWhole: false, missing: [], error: undefined };
const GAP = "Events are missing: they were removed from the log before they came here.";

/** Where steps come from. */
export interface StepsSource {
  /** Cursor of the newest event. */
  readonly head: (gone: AbortSignal) => Promise<string>;
  readonly history: (query: HistoryQuery, gone: AbortSignal) => Promise<HistoryPage>;
  readonly follow: (options: FollowOptions, following: Following) => () => void;
}

type SetSteps = (next: (last: Steps) => Steps) => void;

/** Reads what happened in a rollout, and follows what happens now where it is not over. Answers what ends it. */
export function readAndFollow(
  rollout: DeploymentFacts,
  shown: ShownTime,
  source: StepsSource,
  set: SetSteps,
): () => void {
  const stop = new AbortController();
  let unfollow = () => {};
  // What comes while the history is read is in both.
  const told = new Set<string>();
  const change = (changes: (last: Steps) => Partial<Steps>) => {
    if (!stop.signal.aborted) set((last) => ({ ...last, ...changes(last) }));
  };
  const add = (items: readonly Parameters<typeof stepOf>[0][]) => {
    const fresh = items
      .flatMap((item) => stepOf(item, rollout) ?? [])
      .filter(({ event }) => !told.has(event.cursor));
    for (const { event } of fresh) told.add(event.cursor);
    if (fresh.length > 0) change(({ steps }) => ({ steps: [...steps, ...fresh].toSorted(byTime) }));
  };
  const lack = (words: string) => change(({ missing }) => ({ missing: [...new Set([...missing, words])] }));
  const run = async () => {
    const head = await source.head(stop.signal);
    const history: RolloutSource["history"] = (query) => source.history(query, stop.signal);
    const { missing } = await readRollout(rollout, shown, { history }, add);
    if (missing !== undefined) lack(missing);
    change(() => ({ isWhole: true }));
    if (stop.signal.aborted || rollout.isOver || shown.kind !== "now") return;
    unfollow = source.follow(followingOf(rollout, head), {
      onItem: (item) => {
        if (item.type === "nomad.feed.gap") lack(GAP);
        else if (isFeedItem(item)) add([item]);
      },
      onEnd: (error) => change(() => ({ error })),
    });
  };
  run().catch((error: unknown) => change(() => ({ error })));
  return () => {
    stop.abort();
    unfollow();
  };
}

/** As things happened; the log has them as it heard of them. */
function byTime({ event: one }: Step, { event: other }: Step): number {
  return one.timeMs - other.timeMs || sequenceOf(one.cursor) - sequenceOf(other.cursor);
}

function followingOf({ job, namespace }: DeploymentFacts, cursor: string): FollowOptions {
  const filter = `resource.job == ${JSON.stringify(job)}`;
  return { namespaces: [namespace], filter, cursor, onexpired: "earliest" };
}

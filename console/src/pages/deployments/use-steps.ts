import { useEffect, useState } from "preact/hooks";
import { api } from "../../feed/api.ts";
import { isFeedItem } from "../../feed/event-facts.ts";
import { follow } from "../../feed/follow.ts";
import type { DeploymentFacts } from "../../rollouts/facts.ts";
import { sequenceOf } from "../../words/cursor.ts";
import type { ShownTime } from "../../words/shown-time.ts";
import { readRollout } from "./rollout-reading.ts";
import { stepOf, type Step } from "./steps.ts";

export interface Steps {
  readonly steps: readonly Step[];
  /** All that the log has of it has been read. */
  readonly isWhole: boolean;
  /** What is missing, and why, in words. */
  readonly missing: readonly string[];
  readonly error: unknown;
}

const NONE: Steps = { steps: [], isWhole: false, missing: [], error: undefined };
const GAP = "Events are missing: they were removed from the log before they came here.";

/** What happened in a rollout, oldest first; what happens now, too, where it is not over. */
export function useSteps(rollout: DeploymentFacts, shown: ShownTime): Steps {
  const [read, setRead] = useState(NONE);
  const { subject } = rollout;
  const when = JSON.stringify(shown);
  useEffect(() => {
    setRead(NONE);
    return shown.kind === "asking" ? undefined : readAndFollow(rollout, shown, setRead);
    // That it is over is one more step of what is followed.
  }, [subject, when]);
  return read;
}

type SetSteps = (next: (last: Steps) => Steps) => void;

/** Answers what ends it. */
function readAndFollow(rollout: DeploymentFacts, shown: ShownTime, set: SetSteps): () => void {
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
    const asked = api(stop.signal);
    const { feed } = await asked.about();
    const { missing } = await readRollout(rollout, shown, { history: (query) => asked.history(query) }, add);
    if (missing !== undefined) lack(missing);
    change(() => ({ isWhole: true }));
    if (stop.signal.aborted || rollout.isOver || shown.kind !== "now") return;
    unfollow = followJob(rollout, feed.head, {
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

function followJob(
  { job, namespace }: DeploymentFacts,
  cursor: string,
  following: Parameters<typeof follow>[1],
): () => void {
  const filter = `resource.job == ${JSON.stringify(job)}`;
  return follow({ namespaces: [namespace], filter, cursor, onexpired: "earliest" }, following);
}

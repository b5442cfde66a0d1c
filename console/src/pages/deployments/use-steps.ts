import { useEffect, useState } from "preact/hooks";
import { api } from "../../feed/api.ts";
import { isFeedItem } from "../../feed/event-facts.ts";
import { follow } from "../../feed/follow.ts";
import type { DeploymentFacts } from "./facts.ts";
import { stepOf, type Step } from "./steps.ts";

export interface Steps {
  readonly steps: readonly Step[];
  /** All that the log has of it has been read. */
  readonly isWhole: boolean;
  /** Retention took what was before. */
  readonly isCut: boolean;
  readonly error: unknown;
}

const MOST_EVENTS = 20_000;
const BEFORE_MS = 2000;
const AFTER_MS = 5000;
const NONE: Steps = { steps: [], isWhole: false, isCut: false, error: undefined };

/** What happened in a rollout, oldest first; what happens now, too, where it is not over. */
export function useSteps(rollout: DeploymentFacts, asOfMs: number | undefined): Steps {
  const [read, setRead] = useState(NONE);
  const { subject, isOver } = rollout;
  useEffect(() => {
    const stop = new AbortController();
    let unfollow = () => {};
    // What comes while the history is read is in both.
    const told = new Set<string>();
    const add = (more: readonly Step[], changes: Partial<Steps> = {}) => {
      const fresh = more.filter(({ event }) => !told.has(event.cursor));
      for (const { event } of fresh) told.add(event.cursor);
      setRead((last) => ({ ...last, ...changes, steps: [...last.steps, ...fresh] }));
    };
    setRead(NONE);
    readSteps(rollout, asOfMs, stop.signal, add)
      .then((cursor) => {
        if (stop.signal.aborted || cursor === undefined) return;
        unfollow = followSteps(rollout, cursor, add);
      })
      .catch((error: unknown) => {
        if (!stop.signal.aborted) setRead((last) => ({ ...last, error }));
      });
    return () => {
      stop.abort();
      unfollow();
    };
  }, [subject, asOfMs, isOver]);
  return read;
}

type Add = (steps: readonly Step[], changes?: Partial<Steps>) => void;

/** Answers from where to follow; undefined where nothing more can come. */
async function readSteps(
  rollout: DeploymentFacts,
  asOfMs: number | undefined,
  gone: AbortSignal,
  add: Add,
): Promise<string | undefined> {
  const { job, namespace, createdMs, modifiedMs, isOver } = rollout;
  const since = new Date((createdMs ?? Date.now() - 3_600_000) - BEFORE_MS).toISOString();
  const end = isOver && modifiedMs !== null ? new Date(modifiedMs + AFTER_MS).toISOString() : undefined;
  const until = asOfMs === undefined ? end : new Date(asOfMs).toISOString();
  const asked = api(gone);
  const { feed } = await asked.about();
  let page = await asked.history({
    job,
    namespace,
    since,
    order: "oldest-first",
    limit: 1000,
    ...(until !== undefined && { until }),
  });
  for (let events = 0; ;) {
    add(page.events.flatMap((event) => stepOf(event, rollout) ?? []));
    events += page.events.length;
    if (page.next === undefined || events > MOST_EVENTS) break;
    page = await asked.history(page.next);
  }
  add([], { isWhole: true });
  return until === undefined ? feed.head : undefined;
}

function followSteps(rollout: DeploymentFacts, cursor: string, add: Add): () => void {
  const { job, namespace } = rollout;
  return follow(
    {
      namespaces: [namespace],
      filter: `resource.job == ${JSON.stringify(job)}`,
      cursor,
      onexpired: "earliest",
    },
    {
      onItem: (item) => {
        if (!isFeedItem(item)) return;
        const step = stepOf(item, rollout);
        if (step !== undefined) add([step]);
      },
      onEnd: (error) => add([], { error }),
    },
  );
}

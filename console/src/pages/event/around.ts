import { api } from "../../feed/api.ts";
import { factsOf, isChange, type EventFacts, type FeedItem } from "../../feed/event-facts.ts";
import { sequenceOf } from "../../words/cursor.ts";
import type { OpenEvent } from "./read-event.ts";

const AROUND_MS = 10_000;
const MOST = 200;

/** What was going on at the same time on the same thing. */
export interface Surroundings {
  /** As they happened, with the event itself. */
  readonly events: readonly NearEvent[];
  /** There were more than are told. */
  readonly isCut: boolean;
}

export interface NearEvent extends EventFacts {
  /** What it has in common with the event. */
  readonly shares: readonly Tie[];
}

type Tie = "object" | "job" | "node" | "evaluation";

interface Question {
  readonly tie: Tie;
  readonly ask: () => Promise<{ readonly events: readonly FeedItem[]; readonly isCut: boolean }>;
}

/** Asks for what else was recorded within ten seconds on the same object, job, node and evaluation. */
export async function readAround(open: OpenEvent, gone: AbortSignal): Promise<Surroundings> {
  const answers = await Promise.all(
    questionsOf(open, gone).map(async ({ tie, ask }) => ({ tie, ...(await ask()) })),
  );
  const found = new Map<string, { facts: EventFacts; shares: Tie[] }>();
  found.set(open.facts.cursor, { facts: open.facts, shares: [] });
  for (const { tie, events } of answers) {
    for (const event of events) {
      const known = found.get(event.cursor);
      if (known === undefined) found.set(event.cursor, { facts: factsOf(event), shares: [tie] });
      else known.shares.push(tie);
    }
  }
  const events = [...found.values()].map(({ facts, shares }) => ({ ...facts, shares }));
  return {
    events: events.toSorted((a, b) => a.timeMs - b.timeMs || sequenceOf(a.cursor) - sequenceOf(b.cursor)),
    isCut: answers.some(({ isCut }) => isCut),
  };
}

function questionsOf({ event, facts, evaluation }: OpenEvent, gone: AbortSignal): Question[] {
  const { subject, namespace, job, node, recordedMs } = facts;
  const between = {
    since: new Date(recordedMs - AROUND_MS).toISOString(),
    until: new Date(recordedMs + AROUND_MS).toISOString(),
  };
  const history = (tie: Tie, query: object): Question => ({
    tie,
    ask: async () => {
      const page = await api(gone).history({ ...between, ...query, order: "oldest-first", limit: MOST });
      return { events: page.events, isCut: page.next !== undefined };
    },
  });
  if (!isChange(event)) return [];
  return [
    history("object", { subject }),
    ...(job === "" ? [] : [history("job", { job, namespace })]),
    ...(node === "" ? [] : [history("node", { node })]),
    ...(evaluation === undefined ? [] : [history("evaluation", { subject: evaluation })]),
  ];
}

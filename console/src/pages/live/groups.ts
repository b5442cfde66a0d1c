import type { EventFacts } from "../../feed/event-facts.ts";
import { nounOf, shortName } from "../../words/names.ts";
import { severityRank } from "../../words/severity.ts";

/** Events that tell the same of the same cause. */
export interface EventGroup {
  readonly key: string;
  /** Newest first. */
  readonly events: readonly EventFacts[];
  /** What they have in common, in words: why they are one group. */
  readonly rule: string;
  readonly what: string;
  readonly severity: string;
}

/** Puts together what is the same event of the same job, node or object. Largest severity first, then the most events. */
export function groupsOf(events: Iterable<EventFacts>): EventGroup[] {
  const groups = new Map<string, EventFacts[]>();
  for (const event of events) {
    const key = `${event.what}|${causeOf(event).key}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [event]);
    else group.push(event);
  }
  return [...groups]
    .map(([key, members]) => groupOf(key, members))
    .toSorted(
      (a, b) => severityRank(b.severity) - severityRank(a.severity) || b.events.length - a.events.length,
    );
}

function groupOf(key: string, events: readonly EventFacts[]): EventGroup {
  const [first] = events as [EventFacts];
  const severity = events.reduce(
    (worst, event) => (severityRank(event.severity) > severityRank(worst) ? event.severity : worst),
    "TRACE",
  );
  const shared = events.every(({ detail }) => detail === first.detail) && first.detail !== "";
  const same = events.length > 1 ? "same " : "";
  const rule = [`${same}${causeOf(first).words}`, shared && `${same}change: ${first.detail}`];
  return { key, events, severity, what: first.what, rule: rule.filter(Boolean).join(", ") };
}

/** Whom an event is put down to: the job it is of, else the object itself. */
function causeOf({ job, namespace, resource, subject, name }: EventFacts): { key: string; words: string } {
  if (job !== "") return { key: `${resource}|${namespace}|${job}`, words: `job ${job} in ${namespace}` };
  return { key: subject, words: `${nounOf(resource)} ${shortName(name)}` };
}

/** What a client of Nomad's event stream asks for. */
export interface StreamRequest {
  /** Keys by topic, each in the order given: "*" is all. */
  readonly topics: ReadonlyMap<string, readonly string[]>;
  /** Of the first frame, itself included; 0: Nomad's oldest. */
  readonly index: number;
  readonly namespace: string;
  /** Whether frames that Nomad never sends are wanted too. */
  readonly withExtra: boolean;
}

/** What of an event says who gets it. */
export interface EventHead {
  readonly topic: string;
  readonly key: string;
  /** Empty for what is in none. */
  readonly namespace: string;
  readonly filterKeys: readonly string[];
}

const ALL = "*";

/** As Nomad reads it, which knows no `withExtra`. Undefined for what Nomad refuses: it says best why. */
export function requestOf(query: URLSearchParams, withExtra = false): StreamRequest | undefined {
  const index = query.get("index") || "0";
  const topics = new Map<string, string[]>();
  for (const text of query.has("topic") ? query.getAll("topic") : [ALL]) {
    const [topic = "", key = ALL, ...rest] = text.split(":");
    if (rest.length > 0) return undefined;
    topics.set(topic, [...(topics.get(topic) ?? []), key]);
  }
  if (!/^[+-]?\d+$/.test(index) || !Number.isSafeInteger(Number(index))) return undefined;
  return { topics, index: Number(index), namespace: query.get("namespace") || "default", withExtra };
}

/** Which namespaces' events a client may have: all there are and were, or these. */
export type Namespaces = "all" | ReadonlySet<string>;

/**
 * The events of a frame that a client gets, by their places, as Nomad chooses them: one that two of its keys name comes
 * twice, and "*" is all only where it is the only key.
 */
export function selectedOf(
  events: readonly EventHead[],
  { topics }: Pick<StreamRequest, "topics">,
  namespaces: Namespaces,
): number[] {
  const always = topics.get(ALL) ?? [];
  return events.flatMap((event, at) => {
    if (namespaces !== "all" && event.namespace !== "" && !namespaces.has(event.namespace)) return [];
    if (isAll(always)) return [at];
    const keys = [...always, ...(topics.get(event.topic) ?? [])];
    if (isAll(keys)) return [at];
    return keys.filter((key) => event.key === key || event.filterKeys.includes(key)).map(() => at);
  });
}

function isAll(keys: readonly string[]): boolean {
  return keys.length === 1 && keys[0] === ALL;
}

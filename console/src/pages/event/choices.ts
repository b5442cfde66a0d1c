import type { EventFacts } from "../../feed/event-facts.ts";

/** A choice of events that an event is one of, by the live page's parameters. */
export interface Choice {
  readonly words: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** What somebody who looks at this event may want to be told of from now on, closest first. */
export function choicesOf(facts: EventFacts): Choice[] {
  const { subject, resource, namespace, job, node, signals, type } = facts;
  if (resource === "feed") return [{ words: "what the feed says of itself", parameters: { types: "feed" } }];
  const [signal] = signals;
  const inNamespace = namespace === "-" ? {} : { namespaces: namespace };
  return [
    { words: "this object", parameters: { subjects: subject } },
    signal === undefined
      ? { words: "this kind of event", parameters: { types: type, ...inNamespace } }
      : { words: `every ${signal}`, parameters: { signals: signal, ...inNamespace } },
    ...(job === "" || resource === "nodes"
      ? []
      : [{ words: "this job and all of its parts", parameters: { ...inNamespace, jobs: job } }]),
    ...(node === "" ? [] : [{ words: "this node and what runs on it", parameters: { nodes: node } }]),
  ];
}

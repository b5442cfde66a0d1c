const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** As Nomad people write it: the first eight of an id, a name as it is. */
export function shortName(name: string): string {
  return UUID.test(name) ? name.slice(0, 8) : name;
}

export const NOUNS: Readonly<Record<string, string>> = {
  jobs: "job",
  nodes: "node",
  allocations: "allocation",
  deployments: "deployment",
  evaluations: "evaluation",
  namespaces: "namespace",
  feed: "feed",
};

export interface SubjectParts {
  readonly resource: string;
  readonly namespace: string;
  readonly key: string;
}

/** `allocations/default/5456…` in its parts; a key may have slashes. */
export function partsOf(subject: string): SubjectParts {
  const [resource = "", namespace = "", ...key] = subject.split("/");
  return { resource, namespace, key: key.join("/") };
}

/** `1 event`, `12,345 events`; what is no such plural is named: `2 canaries`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? noun : plural}`;
}

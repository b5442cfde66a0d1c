const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** As Nomad people write it: the first eight of an id, a name as it is. */
export function shortName(name: string): string {
  return UUID.test(name) ? name.slice(0, 8) : name;
}

/** What one of them is called: `allocations` → `allocation`, `acl-policies` → `ACL policy`. */
export function nounOf(resource: string): string {
  const words = resource.replaceAll("-", " ").replace(/^(acl|csi)\b/, (word) => word.toUpperCase());
  return words.replace(/ies$/, "y").replace(/s$/, "");
}

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

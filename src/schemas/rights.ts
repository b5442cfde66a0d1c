import type { ObjectRef, ResourceType } from "./resources.ts";

/** What somebody may list, as Nomad decides it: per resource and namespace. */
export interface Rights {
  /** Whether all objects of the resource may be listed in the namespace; "-" for cluster-wide resources. */
  mayList(resource: ResourceType, namespace: string): boolean;
  /** Whether they may in every namespace, also in those that do not exist yet. */
  mayListEverywhere(resource: ResourceType): boolean;
  /** Whether one object may be seen, of a resource that is granted each by each (`grantedEach`); not of namespaces. */
  mayRead(ref: ObjectRef): boolean;
  /** Whether the namespace may be known of. */
  mayKnow(namespace: string): boolean;
  /** Whether there is nothing at all that may be listed. */
  readonly none: boolean;
}

/** What Nomad says of a token that is not ours. */
export type TokenRights =
  | {
      readonly kind: "known";
      /** Never a secret. */
      readonly name: string;
      /** Of a management token. */
      readonly manages?: boolean;
      readonly rights: Rights;
      readonly expiresAtMs: number | undefined;
    }
  | { readonly kind: "unknown" | "expired" | "acls-off" };

export const ALL_RIGHTS: Rights = {
  mayList: () => true,
  mayListEverywhere: () => true,
  mayRead: () => true,
  mayKnow: () => true,
  none: false,
};

/** Whether a text matches a pattern in which `*` stands for any text, also none. */
export function globMatches(glob: string, text: string): boolean {
  const [first = "", ...rest] = glob.split("*");
  const last = rest.pop();
  if (last === undefined) return glob === text;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let position = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, position);
    if (found === -1) return false;
    position = found + part.length;
  }
  return position <= end;
}

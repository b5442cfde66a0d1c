import type { EventFacts } from "../schemas/draft.ts";

/** What a subscriber may see. Decided per resource and namespace, as Nomad decides what a token may list. */
export interface Access {
  /** Who it is, for logs: never a secret. */
  readonly name: string;
  /** Whether objects of this resource and namespace, and what the feed says of such a scope, may be seen. */
  maySee(facts: Pick<EventFacts, "resource" | "namespace" | "key">): boolean;
}

/** Of who is not asked who they are. */
export const EVERYTHING: Access = { name: "anybody", maySee: () => true };

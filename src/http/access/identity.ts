import type { Rights } from "../../schemas/rights.ts";

import type { Requester } from "./fair-slots.ts";

/** Who a token belongs to, and what they may see. */
export interface Identity {
  /** For logs and limits: never a secret. */
  readonly name: string;
  /** Whether they act for everybody, as for the consumers of other tokens. */
  readonly manages?: boolean;
  /** Whether Nomad itself knows them, by this very token. */
  readonly isNomads?: boolean;
  readonly rights: Rights;
  /** When the token's time is over, ms since 1970. */
  readonly expiresAtMs?: number | undefined;
}

/** One way of knowing tokens. */
export interface Authenticator {
  /**
   * Undefined: not known here; another way may know it. Without a token: whoever needs none.
   * @throws Unauthorized where it is known and no longer good; AuthUnavailable where it cannot be told; LimitReached
   */
  identify(token: string | undefined, requester: Requester): Promise<Identity | undefined>;
}

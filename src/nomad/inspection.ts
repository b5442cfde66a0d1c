/** What `doctor` and start-up ask beyond lists. All reject with NomadError. */
export interface NomadInspection {
  /** The agent that answers, or undefined where the token lacks agent:read. */
  agentSelf(signal?: AbortSignal): Promise<AgentSelf | undefined>;
  /** RPC address of the region's leader, or undefined while there is none. */
  leader(signal?: AbortSignal): Promise<string | undefined>;
  /** Names of the federated regions. */
  regions(signal?: AbortSignal): Promise<string[]>;
  /** What the token is; its secret is never part of it. */
  tokenSelf(signal?: AbortSignal): Promise<TokenSelf>;
}

export interface AgentSelf {
  /** "2.0.5", with pre-release and metadata where it has them. */
  readonly version: string | undefined;
  readonly region: string | undefined;
  readonly name: string | undefined;
  readonly server: boolean | undefined;
  readonly aclEnabled: boolean | undefined;
  /** limits.http_max_conns_per_client; 0: unlimited. */
  readonly maxConnectionsPerClient: number | undefined;
}

/**
 * - token: an ACL token, described.
 * - workload-identity: a valid JWT of a Nomad task, which Nomad does not describe.
 * - anonymous: no token was sent; the policy "anonymous" decides.
 * - acls-disabled: every request is allowed, whatever the token.
 */
export type TokenSelf =
  | {
      readonly kind: "token";
      readonly accessorId: string;
      readonly name: string;
      /** "client", "management". */
      readonly type: string;
      readonly policies: readonly string[];
      readonly roles: readonly string[];
      readonly global: boolean;
      /** RFC 3339; undefined: never. Nomad 1.4 to 1.10.0 describes expired tokens too. */
      readonly expirationTime: string | undefined;
    }
  | { readonly kind: "workload-identity" | "anonymous" | "acls-disabled" };

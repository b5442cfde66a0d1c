import { objectOf, parseExact, stringField, type Json } from "../schemas/json.ts";
import { NomadError } from "./errors.ts";
import type { Requester } from "./requester.ts";
import type { NomadResponse } from "./requests.ts";

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

const NO_SIGNAL = new AbortController().signal;

export function createInspection(requester: Requester): NomadInspection {
  const ask = (path: string, signal = NO_SIGNAL, capability?: string) =>
    requester.send({ path, signal, ...(capability === undefined ? {} : { capability }) });
  return {
    agentSelf: async (signal) => agentSelf(await ask("/v1/agent/self", signal, "agent:read")),
    leader: async (signal) => {
      const leader = parsed(await ask("/v1/status/leader", signal));
      return typeof leader === "string" && leader !== "" ? leader : undefined;
    },
    regions: async (signal) => texts(parsed(await ask("/v1/regions", signal))),
    tokenSelf: async (signal) => tokenSelf(await ask("/v1/acl/token/self", signal)),
  };
}

function agentSelf(answer: NomadResponse): AgentSelf | undefined {
  if (answer.refusal?.code === "NOMAD_FORBIDDEN") return undefined;
  const self = objectOf(parsed(answer));
  const config = objectOf(self["config"]);
  const member = objectOf(self["member"]);
  const enabled = objectOf(config["ACL"])["Enabled"];
  const server = objectOf(config["Server"])["Enabled"];
  const limit = objectOf(config["Limits"])["HTTPMaxConnsPerClient"];
  return {
    version: versionOf(config["Version"]) ?? given(stringField(objectOf(member["Tags"]), "build")),
    region: given(stringField(config, "Region")),
    name: given(stringField(config, "NodeName")) ?? given(stringField(member, "Name")),
    server: typeof server === "boolean" ? server : undefined,
    aclEnabled: typeof enabled === "boolean" ? enabled : undefined,
    maxConnectionsPerClient: typeof limit === "number" ? limit : undefined,
  };
}

/** `{Version: "2.0.5", VersionPrerelease: "dev", VersionMetadata: "ent"}` or a plain text. */
function versionOf(version: Json | undefined): string | undefined {
  if (typeof version === "string") return given(version);
  const parts = objectOf(version);
  const number = given(stringField(parts, "Version"));
  const prerelease = given(stringField(parts, "VersionPrerelease"));
  const metadata = given(stringField(parts, "VersionMetadata"));
  if (number === undefined) return undefined;
  return `${number}${prerelease === undefined ? "" : `-${prerelease}`}${metadata === undefined ? "" : `+${metadata}`}`;
}

/** @throws NomadError where Nomad does not know the token, or cannot be asked. */
export function tokenSelf(answer: NomadResponse): TokenSelf {
  const { refusal } = answer;
  if (refusal?.message.includes("ACL support disabled")) return { kind: "acls-disabled" };
  // Without a token Nomad up to 1.10 answers an error, with a task's JWT later ones answer 404.
  if (refusal?.message.includes("missing secret id")) return { kind: "anonymous" };
  if (answer.status === 404 && answer.body.length > 0 && answer.token === "other")
    return { kind: "workload-identity" };
  const token = objectOf(parsed(answer));
  const accessorId = stringField(token, "AccessorID") ?? "";
  if (accessorId === "acls-disabled" || accessorId === "anonymous") return { kind: accessorId };
  return {
    kind: "token",
    accessorId,
    name: stringField(token, "Name") ?? "",
    type: stringField(token, "Type") ?? "",
    policies: texts(token["Policies"]),
    roles: Array.isArray(token["Roles"])
      ? token["Roles"].flatMap((role) => stringField(objectOf(role), "Name") ?? [])
      : [],
    global: token["Global"] === true,
    expirationTime: given(stringField(token, "ExpirationTime")),
  };
}

/** @throws NomadError: the refusal, or NOMAD_BAD_RESPONSE for what is no JSON. */
export function parsed(answer: NomadResponse): Json {
  if (answer.refusal !== undefined) throw answer.refusal;
  try {
    return parseExact(answer.body.toString("utf8"));
  } catch {
    // The parser's own message quotes the text, which may hold a token's secret.
    throw new NomadError(
      "NOMAD_BAD_RESPONSE",
      `${answer.what} at ${answer.address} was answered with no JSON`,
      {
        retryable: true,
        hint: "Check that the address is of Nomad's HTTP API",
        status: answer.status,
      },
    );
  }
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function given(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

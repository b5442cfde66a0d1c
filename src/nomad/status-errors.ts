import { NomadError, type NomadErrorCode } from "./errors.ts";

/** What was asked, for messages and hints. */
export interface Asked {
  /** `GET /v1/jobs?namespace=default`. */
  readonly what: string;
  /** Nomad's capability for it. */
  readonly capability: string | undefined;
  /** Where the capability must hold, or undefined outside namespaces. */
  readonly namespace: string | undefined;
  readonly tokenSent: boolean;
}

export interface FailedResponse {
  readonly status: number;
  /** One line of the body, without secrets. */
  readonly text: string;
  /** Without credentials. */
  readonly address: string;
  /** A path of the address that was not asked under. */
  readonly droppedPath?: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** From sending the request to the whole answer, ms. */
  readonly heldMs: number;
}

interface Rule {
  readonly status: number | readonly [number, number];
  /** Found in the body; absent: any body. */
  readonly text?: RegExp;
  readonly code: NomadErrorCode;
  readonly retryable: boolean;
  readonly hint: (asked: Asked) => string;
}

const NEW_TOKEN = "Get another token (nomad acl token create) and set NOMAD_TOKEN or the token file";
const CONNECTIONS =
  "The agent's limit of connections from one address is used up: raise limits.http_max_conns_per_client in its configuration, or watch with fewer queries; slots of aborted queries are free again when their wait is over";

/** What Nomad's answers mean, most telling first. Texts differ between Nomad's versions, statuses do too. */
const RULES: readonly Rule[] = [
  {
    status: 400,
    text: /HTTP request to an HTTPS server/i,
    code: "NOMAD_TLS",
    retryable: false,
    hint: () => "The agent speaks TLS: begin its address with https://",
  },
  {
    status: 400,
    text: /ACL support disabled/,
    code: "NOMAD_BAD_REQUEST",
    retryable: false,
    hint: () => "This cluster runs without ACLs: it has no tokens, policies or roles to ask for",
  },
  {
    status: 400,
    code: "NOMAD_BAD_REQUEST",
    retryable: false,
    hint: () => "Nomad does not understand the request: check region, namespace and wait, and its version",
  },
  {
    status: 401,
    code: "NOMAD_UNAUTHORIZED",
    retryable: false,
    hint: ({ tokenSent }) =>
      tokenSent
        ? `The token was not accepted, or a proxy wants other credentials (NOMAD_HTTP_AUTH). ${NEW_TOKEN}`
        : "Set NOMAD_TOKEN or the token file; Nomad's task API answers nobody without one",
  },
  {
    // What is no endpoint yet, /v1/node/pools, is asked for as if "pools" were a node.
    status: 500,
    text: /^node lookup failed: index error: UUID must be/,
    code: "NOMAD_NOT_FOUND",
    retryable: false,
    hint: () => "This Nomad is older than the endpoint",
  },
  {
    status: [401, 599],
    text: /ACL token expired/i,
    code: "NOMAD_TOKEN_EXPIRED",
    retryable: false,
    hint: () => NEW_TOKEN,
  },
  {
    status: [403, 599],
    text: /ACL token not found|acl token lookup failed|UUID must be|missing secret id/i,
    code: "NOMAD_UNAUTHORIZED",
    retryable: false,
    hint: () =>
      `Nomad does not know this token. A token that is not global holds in its own region only. ${NEW_TOKEN}`,
  },
  { status: 403, code: "NOMAD_FORBIDDEN", retryable: false, hint: forbiddenHint },
  {
    status: [500, 599],
    text: /Permission denied$/,
    code: "NOMAD_FORBIDDEN",
    retryable: false,
    hint: forbiddenHint,
  },
  {
    status: 404,
    text: /\S/,
    code: "NOMAD_NOT_FOUND",
    retryable: false,
    hint: () => "What was asked for does not exist in this region",
  },
  {
    status: 404,
    code: "NOMAD_NOT_FOUND",
    retryable: false,
    hint: () =>
      "This Nomad is older than the endpoint, or the address is of something else than Nomad's HTTP API",
  },
  {
    status: 405,
    code: "NOMAD_METHOD_NOT_ALLOWED",
    retryable: false,
    hint: () => "Something between changes the request's method: look at proxies and redirects",
  },
  {
    status: 429,
    text: /concurrent connections/i,
    code: "NOMAD_TOO_MANY_CONNECTIONS",
    retryable: true,
    hint: () => CONNECTIONS,
  },
  {
    status: 429,
    code: "NOMAD_RATE_LIMITED",
    retryable: true,
    hint: () => "A proxy before Nomad limits requests: allow more, or watch with fewer queries",
  },
  {
    status: [500, 599],
    text: /No path to region/i,
    code: "NOMAD_NO_REGION",
    retryable: true,
    hint: () => "The agent knows no server in that region: compare NOMAD_REGION with nomad server members",
  },
  {
    status: [500, 599],
    text: /No cluster leader|Not ready to serve consistent reads/i,
    code: "NOMAD_NO_LEADER",
    retryable: true,
    hint: () => "The servers are electing a leader; if it lasts, look at nomad operator raft list-peers",
  },
  {
    status: [500, 599],
    text: /\bno (known )?servers\b/i,
    code: "NOMAD_NO_LEADER",
    retryable: true,
    hint: () =>
      "This client agent has lost its servers: give the address of a server, or look at the agent's log",
  },
  {
    status: 501,
    code: "NOMAD_ENTERPRISE_ONLY",
    retryable: false,
    hint: () => "Nomad Community does not have this: do not watch it here",
  },
  {
    status: [502, 504],
    code: "NOMAD_SERVER_ERROR",
    retryable: true,
    hint: () =>
      "A proxy before Nomad could not reach it or did not wait: it must allow answers that take the whole wait",
  },
  {
    status: [500, 599],
    text: /rpc error/i,
    code: "NOMAD_SERVER_ERROR",
    retryable: true,
    hint: () => "The agent could not reach the leader, or lost it; usual while the leader changes",
  },
  {
    status: [500, 599],
    code: "NOMAD_SERVER_ERROR",
    retryable: true,
    hint: () => "Look at the agent's log",
  },
  {
    status: [300, 399],
    code: "NOMAD_UNEXPECTED_STATUS",
    retryable: false,
    hint: () => "Nomad never redirects: the address is of a proxy or a login page; give Nomad's own",
  },
];

const OTHERWISE: Rule = {
  status: [100, 599],
  code: "NOMAD_UNEXPECTED_STATUS",
  retryable: false,
  hint: () => "Nomad does not answer like this: check that the address is of its HTTP API",
};

/** The error an answer other than 200 stands for. */
export function statusError(asked: Asked, answer: FailedResponse): NomadError {
  const { status, text, address, retryAfterMs, heldMs } = answer;
  const rule = RULES.find((candidate) => applies(candidate, status, text)) ?? OTHERWISE;
  const said = text === "" ? "" : `: ${text}`;
  return new NomadError(rule.code, `${asked.what} at ${address} was answered ${status}${said}`, {
    retryable: rule.retryable,
    hint: `${rule.hint(asked)}${droppedPathHint(answer)}`,
    status,
    heldMs,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** What answers there may be a gateway that knows Nomad under that path only. */
function droppedPathHint({ status, droppedPath }: FailedResponse): string {
  if (droppedPath === undefined || status >= 500) return "";
  return `. The path ${droppedPath} of the address was dropped, as Nomad's own client does: give Nomad a host name or a port of its own at the gateway`;
}

function applies(rule: Rule, status: number, text: string): boolean {
  const [low, high] = typeof rule.status === "number" ? [rule.status, rule.status] : rule.status;
  return status >= low && status <= high && (rule.text?.test(text) ?? true);
}

function forbiddenHint({ capability, namespace, tokenSent }: Asked): string {
  const where =
    namespace === undefined
      ? ""
      : namespace === "*"
        ? " in the namespaces to watch"
        : ` in namespace "${namespace}"`;
  const needed = capability === undefined ? "what this request needs" : `${capability}${where}`;
  return tokenSent
    ? `The token's policies must grant ${needed}; a token that expired or was deleted is refused in the same words`
    : `No token was sent and the anonymous policy does not grant ${needed}: set NOMAD_TOKEN or the token file`;
}

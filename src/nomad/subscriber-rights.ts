import { createHash } from "node:crypto";
import { isJsonObject, objectOf, stringField, type Json, type JsonObject } from "../schemas/json.ts";
import { CORE_TYPES, RESOURCES, type Resource, type ResourceType } from "../schemas/resources.ts";
import { ALL_RIGHTS, type Rights, type TokenRights } from "../schemas/rights.ts";
import type { Clock } from "../shared/clock.ts";
import { rightsOfPolicies, rulesOf, type PolicyRules } from "./acl-rules.ts";
import type { NomadError } from "./errors.ts";
import { parsed, tokenSelf } from "./inspection.ts";
import type { NomadClientOptions } from "./options.ts";
import { Requester, type RequesterDeps } from "./requester.ts";
import type { NomadResponse } from "./requests.ts";
import { isToken, Secret } from "./secret.ts";

/** Asks Nomad what subscribers may list, each with their own token. */
export interface SubscriberRights {
  /**
   * Without a token: what the policy "anonymous" grants.
   * Rejects with NomadError where Nomad cannot be asked.
   */
  rightsOf(token: string | undefined, signal: AbortSignal): Promise<TokenRights>;
  [Symbol.asyncDispose](): Promise<void>;
}

const NOT_KNOWN = new Set(["NOMAD_FORBIDDEN", "NOMAD_UNAUTHORIZED"]);
/** Each costs two requests at every check. */
const MAX_PROBED_NAMESPACES = 200;
const MAX_REMEMBERED_POLICIES = 1000;

/**
 * Reads a token's policies with that very token, which Nomad allows, and decides as Nomad does. Where policies
 * cannot be read (a task's identity, on most versions), Nomad is asked for each namespace that the token sees.
 * Has connections of its own, so that blocking queries never keep a subscriber waiting.
 * @throws NomadOptionInvalid
 */
export function createSubscriberRights(options: NomadClientOptions, deps: RequesterDeps): SubscriberRights {
  // Without our own token: what a subscriber may see must never be asked for in our name.
  const requester = new Requester({ ...options, token: { kind: "none" } }, deps);
  const reader = new RightsReader(requester, deps.clock);
  return {
    rightsOf: (token, signal) => reader.read(token, signal),
    [Symbol.asyncDispose]: () => requester[Symbol.asyncDispose](),
  };
}

class RightsReader {
  readonly #requester: Requester;
  readonly #clock: Pick<Clock, "now">;
  /** Rules by name, index and hash of the policy: tokens share policies, and policies rarely change. */
  readonly #rules = new Map<string, PolicyRules>();

  constructor(requester: Requester, clock: Pick<Clock, "now">) {
    this.#requester = requester;
    this.#clock = clock;
  }

  async read(text: string | undefined, signal: AbortSignal): Promise<TokenRights> {
    if (text === undefined) return this.#anonymous(signal);
    if (!isToken(text)) return { kind: "unknown" };
    const token = new Secret(text);
    const ask: Ask = (path, query = {}) => this.#requester.send({ path, query, token, signal });
    const self = await ask("/v1/acl/token/self");
    const { refusal } = self;
    if (refusal?.code === "NOMAD_TOKEN_EXPIRED") return { kind: "expired" };
    // Nomad before 1.10 knows nothing of a task's identity here, and what is no UUID is 500 here and 403 elsewhere.
    const unclear = refusal !== undefined && (NOT_KNOWN.has(refusal.code) || refusal.status === 500);
    if (unclear && self.token === "other") return this.#identity(text, ask);
    if (refusal !== undefined && NOT_KNOWN.has(refusal.code)) return { kind: "unknown" };
    const found = tokenSelf(self);
    if (found.kind === "acls-disabled") return { kind: "acls-off" };
    if (found.kind === "workload-identity") return this.#identity(text, ask);
    if (found.kind !== "token") return { kind: "unknown" };
    const expiresAtMs = found.expirationTime === undefined ? undefined : Date.parse(found.expirationTime);
    if (expiresAtMs !== undefined && !(expiresAtMs > this.#clock.now())) return { kind: "expired" };
    const name = `nomad token ${found.accessorId}`;
    if (found.type === "management")
      return { kind: "known", name, manages: true, rights: ALL_RIGHTS, expiresAtMs };
    return { kind: "known", name, rights: await this.#rights(ask, "/v1/acl/policies"), expiresAtMs };
  }

  /** Nomad applies this policy to requests without a token, and to nothing else. Anyone may read it. */
  async #anonymous(signal: AbortSignal): Promise<TokenRights> {
    const answer = await this.#requester.send({ path: "/v1/acl/policy/anonymous", signal });
    if (answer.refusal?.message.includes("ACL support disabled")) return { kind: "acls-off" };
    if (answer.status === 404 || (answer.refusal !== undefined && NOT_KNOWN.has(answer.refusal.code)))
      return { kind: "unknown" };
    const rules = rulesOf(objectOf(parsed(answer)));
    if (rules === undefined) return { kind: "unknown" };
    const rights = rightsOfPolicies([rules]);
    return { kind: "known", name: "nomad anonymous", rights, expiresAtMs: undefined };
  }

  async #identity(text: string, ask: Ask): Promise<TokenRights> {
    const { expiresAtMs, subject } = claimsOf(text);
    if (expiresAtMs !== undefined && expiresAtMs <= this.#clock.now()) return { kind: "expired" };
    // Any agent answers this to whoever it knows; to others it does not.
    const namespaces = await ask("/v1/namespaces");
    if (namespaces.refusal !== undefined && NOT_KNOWN.has(namespaces.refusal.code))
      return { kind: "unknown" };
    const rights = await this.#rights(ask, "/v1/acl/policy/self");
    return { kind: "known", name: `nomad workload identity ${subject}`, rights, expiresAtMs };
  }

  async #rights(ask: Ask, path: string): Promise<Rights> {
    const listed = await ask(path);
    if (listed.refusal !== undefined) {
      throwUnlessRefused(listed.refusal);
      return probe(ask);
    }
    const stubs = parsed(listed);
    const policies: PolicyRules[] = [];
    for (const stub of Array.isArray(stubs) ? stubs.filter(isJsonObject) : []) {
      const rules = await this.#policy(stub, ask);
      if (rules === undefined) return probe(ask);
      if (rules !== "gone") policies.push(rules);
    }
    return rightsOfPolicies(policies);
  }

  /** Undefined where the token may not read it, or Nomad does not tell its rules. */
  async #policy(stub: JsonObject, ask: Ask): Promise<PolicyRules | "gone" | undefined> {
    const name = stringField(stub, "Name") ?? "";
    const key = JSON.stringify([name, stub["ModifyIndex"], stub["Hash"]]);
    const remembered = this.#rules.get(key);
    if (remembered !== undefined) return remembered;
    const answer = await ask(`/v1/acl/policy/${encodeURIComponent(name)}`);
    if (answer.status === 404) return "gone";
    if (answer.refusal !== undefined) {
      throwUnlessRefused(answer.refusal);
      return undefined;
    }
    const rules = rulesOf(objectOf(parsed(answer)));
    if (rules === undefined) return undefined;
    if (this.#rules.size >= MAX_REMEMBERED_POLICIES) this.#rules.clear();
    this.#rules.set(key, rules);
    return rules;
  }
}

type Ask = (path: string, query?: Readonly<Record<string, string>>) => Promise<NomadResponse>;

/** Policies that may not be read, or an endpoint this version does not have, leave asking; some say so with 500. */
function throwUnlessRefused(refusal: NomadError): void {
  const { code, status } = refusal;
  if (!NOT_KNOWN.has(code) && code !== "NOMAD_NOT_FOUND" && status !== 500) throw refusal;
}

/**
 * Asks with prefixes no object has, once for each capability and namespace. A namespace that comes later is
 * seen at the next check. What the capabilities of core resources do not grant is not asked for, and not granted.
 */
async function probe(ask: Ask): Promise<Rights> {
  // Asked as the others are: a server that has just started, and refuses all, must not pass for one that grants nothing.
  const names = namespaceNames(await ask("/v1/namespaces", { stale: "" })).slice(0, MAX_PROBED_NAMESPACES);
  const allowed = new Set<string>();
  for (const resource of probedResources()) {
    for (const namespace of resource.namespaced ? names : ["-"]) {
      if (await mayList(ask, resource, namespace)) allowed.add(`${capabilityOf(resource)} ${namespace}`);
    }
  }
  const known = new Set(names);
  const mayListIn = (type: ResourceType, namespace: string) =>
    type === "namespaces" ||
    RESOURCES[type].grants.some((all) =>
      all.every((capability) => allowed.has(`${capability} ${namespace}`)),
    );
  return {
    mayList: mayListIn,
    // Of namespaces to come nothing is known.
    mayListEverywhere: (type) => type !== "namespaces" && !RESOURCES[type].namespaced && mayListIn(type, "-"),
    mayRead: () => false,
    mayKnow: (namespace) => known.has(namespace),
    none: allowed.size === 0 && known.size === 0,
  };
}

/** One resource for each capability. */
function probedResources(): Resource[] {
  const byCapability = new Map<string, Resource>();
  for (const type of CORE_TYPES) {
    const capability = capabilityOf(RESOURCES[type]);
    if (capability !== undefined && !byCapability.has(capability))
      byCapability.set(capability, RESOURCES[type]);
  }
  return [...byCapability.values()];
}

/** The one capability that lists a core resource. */
function capabilityOf({ grants }: Resource): string | undefined {
  return grants[0]?.[0];
}

async function mayList(ask: Ask, resource: Resource, namespace: string): Promise<boolean> {
  const query = {
    prefix: resource.neverPrefix ?? "",
    ...(resource.namespaced ? { namespace } : {}),
    stale: "",
  };
  const { refusal } = await ask(resource.path, query);
  if (refusal === undefined) return true;
  if (NOT_KNOWN.has(refusal.code)) return false;
  throw refusal;
}

function namespaceNames(answer: NomadResponse): string[] {
  const listed = parsed(answer);
  return Array.isArray(listed)
    ? listed.flatMap((namespace) => stringField(objectOf(namespace), "Name") ?? [])
    : [];
}

/**
 * When it expires, and whose it is, which stays the same over renewals: region, namespace, job, group and task. Nomad
 * has checked the signature when this is used.
 */
function claimsOf(token: string): { expiresAtMs: number | undefined; subject: string } {
  const { exp, sub } = payloadOf(token);
  const expiresAtMs = typeof exp === "number" ? exp * 1000 : undefined;
  const isName = typeof sub === "string" && /^[\x21-\x7e]{1,300}$/.test(sub);
  return {
    expiresAtMs,
    subject: isName ? sub : createHash("sha256").update(token).digest("hex").slice(0, 16),
  };
}

function payloadOf(token: string): JsonObject {
  try {
    return objectOf(JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Json);
  } catch {
    return {};
  }
}

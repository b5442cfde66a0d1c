import { isJsonObject, objectOf, type Json } from "../schemas/json.ts";
import { createIndexOf, RESOURCES, type Resource, type ResourceType } from "../schemas/resources.ts";
import type { Consistency, ListRequest, ListResponse, NomadApi } from "./api.ts";
import { listBody } from "./body.ts";
import { isRefusal, NomadError } from "./errors.ts";
import { openEventStream } from "./event-stream.ts";
import { createInspection, parsed, type NomadInspection } from "./inspection.ts";
import type { NomadClientOptions } from "./options.ts";
import { header, Requester, type RequesterDeps } from "./requester.ts";
import type { NomadResponse } from "./requests.ts";
import { isShaped, shapedList } from "./shaped-list.ts";
import { transportError } from "./transport-errors.ts";

export type NomadClient = NomadApi & NomadInspection;

const DEFAULT_WAIT_MS = 55_000;
/** A server holds a query 5 s for a leader before and after the wait. */
const LEADER_HOLD_MS = 10_000;

/** Refusals that say the token, not the request, is to blame. */
const NOT_ALLOWED = new Set(["NOMAD_FORBIDDEN", "NOMAD_UNAUTHORIZED", "NOMAD_TOKEN_EXPIRED"]);

/**
 * A client of Nomad's HTTP API. A blocking query holds one of the `maxConnections` connections to its address
 * as long as it waits; requests beyond them wait for their turn. Aborting a query ends it here only: Nomad
 * keeps working on it, and keeps its connection slot taken, until the wait is over.
 * Every method rejects with a NomadError, or with the reason of an aborted signal.
 * @throws NomadOptionInvalid where a certificate or key cannot be used.
 */
export function createNomadClient(options: NomadClientOptions, deps: RequesterDeps): NomadClient {
  const requester = new Requester(options, deps);
  return {
    ...createInspection(requester),
    list: (request) => list(requester, options, request),
    mayList: (resource, namespace, signal) => mayList(requester, resource, namespace, signal),
    namespacePresence: async (name, signal) => (await namespaceOf(requester, name, signal)).presence,
    nodePoolPresence: async (name, signal) =>
      (await objectAt(requester, `/v1/node/pool/${encodeURIComponent(name)}`, "node pool not found", signal))
        .presence,
    namespaceCreateIndex: (name, signal) => namespaceCreateIndex(requester, name, signal),
    events: (request) => {
      const { firstLineMs, streamSilenceMs: silenceMs } = options;
      return openEventStream(requester, { firstLineMs, silenceMs }, request);
    },
    [Symbol.asyncDispose]: () => requester[Symbol.asyncDispose](),
  };
}

async function list(
  requester: Requester,
  options: NomadClientOptions,
  request: ListRequest,
): Promise<ListResponse> {
  const resource = RESOURCES[request.resource];
  if (resource.polled === true) return polledList(requester, resource, request.signal);
  const consistency = request.consistency ?? options.consistency;
  const waitMs = Math.max(1, Math.ceil(request.waitMs ?? DEFAULT_WAIT_MS));
  const blocking = request.index !== undefined;
  const answer = await requester.send({
    ...requestAbout(resource, request.namespace),
    query: {
      ...fixedQuery(resource, request.namespace),
      ...(request.index === undefined ? {} : { index: flooredIndex(request.index), wait: `${waitMs}ms` }),
      ...(consistency === "stale" ? { stale: "" } : {}),
      ...(request.filter === undefined ? {} : { filter: request.filter }),
      ...(request.prefix === undefined ? {} : { prefix: request.prefix }),
      ...(request.perPage === undefined ? {} : { per_page: String(request.perPage) }),
    },
    ...(blocking ? { headersTimeoutMs: blockingDeadlineMs(waitMs, options.deadlineMarginMs) } : {}),
    ...(request.likelyBytes === undefined ? {} : { likelyBytes: request.likelyBytes }),
    ...(request.unhurried === undefined ? {} : { unhurried: request.unhurried }),
    signal: request.signal,
  });
  if (answer.refusal !== undefined) throw answer.refusal;
  return believable(resource, answer, consistency, options.maxStaleMs);
}

/** Of what Nomad has no index: 0 in every answer, as Nomad itself says where it has none. */
async function polledList(
  requester: Requester,
  resource: Resource,
  signal: AbortSignal,
): Promise<ListResponse> {
  const answer = await requester.send({
    ...requestAbout(resource, "-"),
    query: resource.query ?? {},
    signal,
  });
  const beside =
    resource.beside === undefined ? undefined : await requester.send({ path: resource.beside, signal });
  const { address, elapsedMs, readMs } = answer;
  const body = shapedList(resource, statement(answer), beside === undefined ? null : parsed(beside));
  return {
    body,
    index: "0",
    knownLeader: true,
    lastContactMs: 0,
    consistency: "default",
    address,
    elapsedMs,
    readMs,
  };
}

/** Autopilot says in a status of its own that the cluster is not well: what it says is an answer all the same. */
function statement(answer: NomadResponse): Json {
  if (answer.status !== 429) return parsed(answer);
  const said = parsed({ ...answer, refusal: undefined });
  if (isJsonObject(said)) return said;
  throw answer.refusal;
}

/** Nomad may add up to a sixteenth to the wait, and may hold the query for a leader. @internal */
export function blockingDeadlineMs(waitMs: number, marginMs: number): number {
  return waitMs + Math.ceil(waitMs / 16) + LEADER_HOLD_MS + marginMs;
}

/** With 0 Nomad would not block at all, and a fresh cluster's tables are at 0. */
function flooredIndex(index: string): string {
  return /^\d*[1-9]\d*$/.test(index) ? index : "1";
}

function requestAbout(resource: Resource, namespace: string) {
  return {
    path: resource.path,
    capability: resource.capability,
    ...(resource.namespaced ? { namespace } : {}),
  };
}

function fixedQuery(resource: Resource, namespace: string): Record<string, string> {
  return { ...resource.query, ...(resource.namespaced ? { namespace } : {}) };
}

/** @throws NomadError where the answer is no whole list, has no index, or is too old to go by. */
function believable(
  resource: Resource,
  answer: NomadResponse,
  consistency: Consistency,
  maxStaleMs: number,
): ListResponse {
  const { headers, address, elapsedMs, readMs } = answer;
  if (resource.query !== undefined && isUnasked(answer)) throw notThere(answer);
  if (!/^application\/json\b/i.test(header(headers, "content-type") ?? "")) {
    throw badResponse(
      answer,
      `content type ${header(headers, "content-type") ?? "(none)"} instead of application/json`,
    );
  }
  const index = wholeNumber(answer, "x-nomad-index", undefined);
  const lastContactMs = Number(wholeNumber(answer, "x-nomad-lastcontact", "0"));
  const knownLeader = header(headers, "x-nomad-knownleader") !== "false";
  if (!knownLeader || (consistency === "stale" && lastContactMs > maxStaleMs)) {
    throw outOfTouch(answer, consistency, knownLeader, lastContactMs, maxStaleMs);
  }
  const body = isShaped(resource) ? shapedList(resource, parsedList(answer), null) : wholeList(answer);
  return { body, index, knownLeader, lastContactMs, consistency, address, elapsedMs, readMs };
}

/** Nomad answers nothing, without an index, where it does not know the type of volumes that it is asked for. */
function isUnasked({ headers, body }: NomadResponse): boolean {
  return header(headers, "x-nomad-index") === undefined && listBody(body).length <= 2;
}

function notThere({ what, address, status, elapsedMs }: NomadResponse): NomadError {
  return new NomadError("NOMAD_NOT_FOUND", `${what} at ${address} was answered with nothing`, {
    retryable: false,
    hint: "This Nomad is older than what was asked for",
    status,
    heldMs: elapsedMs,
  });
}

/** The few lists that are not taken as they come are short. */
function parsedList(answer: NomadResponse): Json {
  return parsed({ ...answer, body: wholeList(answer) });
}

function wholeList(answer: NomadResponse): Buffer {
  try {
    return listBody(answer.body);
  } catch (failure) {
    throw transportError(answer.what, answer.address, failure);
  }
}

function wholeNumber(answer: NomadResponse, name: string, otherwise: string | undefined): string {
  const text = header(answer.headers, name) ?? otherwise;
  if (text !== undefined && /^\d+$/.test(text)) return text;
  throw badResponse(answer, text === undefined ? `no header ${name}` : `header ${name} is no whole number`);
}

function badResponse(answer: NomadResponse, says: string): NomadError {
  return new NomadError(
    "NOMAD_BAD_RESPONSE",
    `${answer.what} at ${answer.address} was answered with ${says}`,
    {
      retryable: true,
      hint: "Nomad does not answer like this: look at proxies between, and that the address is of its HTTP API",
      status: answer.status,
      heldMs: answer.elapsedMs,
    },
  );
}

function outOfTouch(
  answer: NomadResponse,
  consistency: Consistency,
  knownLeader: boolean,
  lastContactMs: number,
  maxStaleMs: number,
): NomadError {
  const state = knownLeader
    ? `heard of its leader ${lastContactMs} ms ago, more than ${maxStaleMs} ms`
    : "knows no leader";
  const code = consistency === "stale" ? "NOMAD_STALE_RESPONSE" : "NOMAD_NO_LEADER";
  return new NomadError(code, `${answer.what} at ${answer.address} was answered by a server that ${state}`, {
    retryable: true,
    hint: "The servers are electing a leader, or this one is cut off; if it lasts, look at nomad operator raft list-peers",
    status: answer.status,
  });
}

/**
 * Asks with a prefix no object has. For "*" Nomad before 1.2 allows everybody, so ask for single namespaces.
 */
async function mayList(
  requester: Requester,
  type: ResourceType,
  namespace: string,
  signal: AbortSignal,
): Promise<boolean> {
  const resource = RESOURCES[type];
  const prefix = resource.neverPrefix === undefined ? {} : { prefix: resource.neverPrefix };
  const about = requestAbout(resource, namespace);
  const answer = await requester.send({
    ...about,
    path: resource.refusedAt ?? about.path,
    query: { ...fixedQuery(resource, namespace), ...prefix },
    signal,
  });
  const { refusal } = answer;
  if (refusal === undefined) return true;
  if (NOT_ALLOWED.has(refusal.code)) return false;
  // What autopilot says of servers that are not well.
  if (resource.polled === true && answer.status === 429) return true;
  throw refusal;
}

interface Found {
  readonly presence: "present" | "absent" | "hidden";
  readonly answer: NomadResponse;
}

function namespaceOf(requester: Requester, name: string, signal: AbortSignal): Promise<Found> {
  const path = `/v1/namespace/${encodeURIComponent(name)}`;
  return objectAt(requester, path, "Namespace not found", signal);
}

/** `notFound`: what Nomad says where there is none. */
async function objectAt(
  requester: Requester,
  path: string,
  notFound: string,
  signal: AbortSignal,
): Promise<Found> {
  const answer = await requester.send({ path, signal });
  const { refusal, body } = answer;
  if (refusal === undefined) return { presence: "present", answer };
  if (NOT_ALLOWED.has(refusal.code)) return { presence: "hidden", answer };
  if (!isRefusal(refusal)) throw refusal;
  // Only in Nomad's own words: a gateway that lets some paths through answers 404 as well.
  const gone = refusal.code === "NOMAD_NOT_FOUND" && body.toString().trim() === notFound;
  return { presence: gone ? "absent" : "hidden", answer };
}

async function namespaceCreateIndex(
  requester: Requester,
  name: string,
  signal: AbortSignal,
): Promise<bigint | "absent" | "hidden"> {
  const { presence, answer } = await namespaceOf(requester, name, signal);
  if (presence !== "present") return presence;
  const created = createIndexOf(objectOf(parsed(answer)));
  return created === undefined ? "hidden" : BigInt(created);
}

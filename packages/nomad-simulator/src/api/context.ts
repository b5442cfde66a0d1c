import { FULL_ACCESS, resolveAccess, type Access } from "../acl/access.ts";
import type { Leadership } from "../leadership.ts";
import type { Operator } from "../operator.ts";
import type { Raft } from "../raft.ts";
import type { Random } from "../random.ts";
import type { Replica } from "../store/replica.ts";
import type { QueryMeta } from "./reply.ts";
import type { ApiRequest } from "./request.ts";

/** What every endpoint works with. */
export interface ApiContext {
  readonly raft: Raft;
  readonly leadership: Leadership;
  readonly aclEnabled: boolean;
  readonly region: string;
  readonly operator: Operator;
  /** How long a request waits for a leader, ms. */
  readonly holdMs: number;
  /** Between two heartbeats of an event stream, ms. */
  readonly heartbeatMs: number;
  /** False: event streams answer as before Nomad 1.11.2. */
  readonly hijacks: boolean;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Jitter and map order: never the churn's own numbers. */
  readonly random: Random;
  /** Aborts when the simulator closes. */
  readonly signal: AbortSignal;
}

/** The server that answers: a follower for stale reads where one lags, else the leader. */
export function replicaFor(context: ApiContext, request: ApiRequest): Replica {
  return request.stale ? context.raft.follower : context.raft.reader;
}

/** The rights of the request's token, or undefined: "Permission denied". */
export function accessFor(context: ApiContext, request: ApiRequest): Access | undefined {
  if (!context.aclEnabled) return FULL_ACCESS;
  return resolveAccess(replicaFor(context, request).state, request.token, context.clock());
}

export function metaFor(context: ApiContext, request: ApiRequest, index: number): QueryMeta {
  const { leadership, raft } = context;
  const follows = request.stale && raft.follower !== raft.reader;
  const lag = follows && leadership.known ? context.random.between(1, 60) : 0;
  return {
    index,
    knownLeader: leadership.known || !request.stale,
    lastContactMs: request.stale ? leadership.lastContactMs + lag : 0,
  };
}

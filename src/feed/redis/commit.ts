import type { EventDraft } from "../../schemas/draft.ts";
import { scopesOverlap, type Scope } from "../../schemas/scope.ts";
import { inherit, type ScopeRecord } from "../claims.ts";
import { Conflict, Fenced } from "../errors.ts";
import {
  EMPTY_MEMO,
  type Checkpoint,
  type Claim,
  type Commit,
  type Committed,
  type ScopeMemo,
  type ScopeStatus,
  type StateWrite,
} from "../log.ts";
import { factsOf, indexesOf, nomadIndexOf, stateValue } from "./codec.ts";

/** The newest event that a process knows to be in the log. */
export interface Seen {
  /** "" where it knows of none. */
  readonly epoch: string;
  readonly sequence: number;
  /** Stream id and time of recording: no other event has both. */
  readonly stamp: string;
}

export const NOTHING_SEEN: Seen = { epoch: "", sequence: 0, stamp: "" };

export function seenArguments({ epoch, sequence, stamp }: Seen): [string, number, string] {
  return [epoch, sequence, stamp];
}

type Argument = string | number | Buffer;

export interface CommitContext {
  readonly nowMs: number;
  readonly seen: Seen;
  readonly streamPerResource: boolean;
}

/** The commit as the commit script reads it. */
export function argumentsOf(commit: Commit, context: CommitContext): Argument[] {
  const { scope, checkpoint, memo, births = [], events } = commit;
  const nomadEpoch = Math.max(checkpoint?.nomadEpoch ?? 0, memo?.resync?.nomadEpoch ?? 0);
  return [
    scope.resource,
    scope.namespace,
    commit.fence,
    commit.expectedRev,
    commit.commitId,
    context.nowMs,
    checkpoint === undefined ? "" : JSON.stringify(checkpoint),
    memo === undefined ? "" : JSON.stringify(memo),
    nomadEpoch,
    ...seenArguments(context.seen),
    context.streamPerResource ? "1" : "",
    births.length,
    ...births.map(({ resource, namespace }) => `${resource}:${namespace}`),
    ...appendArguments(events),
    ...stateArguments(commit.state),
  ];
}

/** Events and the indexes that find them, as scripts append them. */
export function appendArguments(events: readonly EventDraft[]): Argument[] {
  return [events.length, ...events.flatMap(eventArguments), ...indexArguments(events)];
}

function eventArguments(event: EventDraft): Argument[] {
  const { head, tail, type, op, namespace, key, severity, overflow } = event;
  const fields = [type, op ?? "", namespace ?? "", key ?? "", severity];
  return [head, tail, nomadIndexOf(event), ...fields, factsOf(event), overflow ?? ""];
}

function indexArguments(events: readonly EventDraft[]): Argument[] {
  const positions = new Map<string, number[]>();
  for (const [position, event] of events.entries()) {
    for (const name of indexesOf(event)) listIn(positions, name).push(position + 1);
  }
  return [positions.size, ...[...positions].flatMap(([name, all]) => [name, all.length, ...all])];
}

/** Of several writes of one object the last counts. */
function stateArguments(writes: readonly StateWrite[]): Argument[] {
  const hashes = new Map<string, Map<string, StateWrite["next"]>>();
  for (const { ref, next } of writes) {
    const hash = `${ref.resource}:${ref.namespace}`;
    const objects = hashes.get(hash) ?? new Map<string, StateWrite["next"]>();
    hashes.set(hash, objects.set(ref.key, next));
  }
  const args: Argument[] = [hashes.size];
  for (const [hash, objects] of hashes) {
    const written: Argument[] = [];
    const gone: Argument[] = [];
    for (const [key, next] of objects) {
      if (next === null) gone.push(key);
      else written.push(key, stateValue(next.rev, next.stub));
    }
    args.push(hash, written.length / 2);
    for (const argument of written) args.push(argument);
    args.push(gone.length);
    for (const argument of gone) args.push(argument);
  }
  return args;
}

function listIn<Key, Value>(map: Map<Key, Value[]>, key: Key): Value[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}

export interface CommitReply {
  readonly committed: Committed;
  /** Absent where nothing was appended. */
  readonly seen?: Seen;
}

/** "lost" where the log lost what this writer saw in it; "unclaimed" where it knows no claim. @throws Fenced, Conflict. */
export function readCommitReply(reply: unknown, commit: Commit): CommitReply | "lost" | "unclaimed" {
  const [status, ...parts] = reply as string[];
  const [one = "0", two = "0", three = "0", epoch = "", at = ""] = parts;
  if (status === "lost" || status === "unclaimed") return status;
  if (status === "fenced") throw new Fenced(commit.scope, commit.fence, Number(one));
  if (status === "conflict") throw new Conflict(commit.scope, commit.expectedRev, Number(one));
  const committed: Committed = {
    status: status === "duplicate" ? "duplicate" : "committed",
    first: Number(one),
    last: Number(two),
    rev: Number(three),
  };
  const newest = commit.events.at(-1);
  if (committed.status === "duplicate" || newest === undefined) return { committed };
  const stamp = `${committed.last}-${nomadIndexOf(newest)}/${at}`;
  return { committed, seen: { epoch, sequence: committed.last, stamp } };
}

interface ScopeRow extends ScopeRecord, ScopeStatus {
  readonly scope: Scope;
  readonly fence: number;
  readonly baselined: boolean;
  readonly checkpoint: Checkpoint | null;
  readonly memo: ScopeMemo;
}

/** A scope's hash, as HGETALL lists it. */
export function scopeRow(scope: Scope, flat: readonly string[]): ScopeRow {
  const fields = new Map<string, string>();
  for (let n = 0; n + 1 < flat.length; n += 2) fields.set(flat[n] as string, flat[n + 1] as string);
  const number = (name: string) => Number(fields.get(name) ?? 0);
  const checkpoint = fields.get("checkpoint");
  const memo = fields.get("memo");
  return {
    scope,
    fence: number("fence"),
    owner: fields.get("owner") ?? "",
    rev: number("rev"),
    baselined: fields.get("baselined") === "1",
    checkpoint: checkpoint === undefined ? null : (JSON.parse(checkpoint) as Checkpoint),
    checkpointFence: number("checkpointFence"),
    memo: memo === undefined ? EMPTY_MEMO : (JSON.parse(memo) as ScopeMemo),
  };
}

/** What the claim script's answer means for the one who claims; "lost" as in `readCommitReply`. */
export function readClaimReply(reply: unknown, scope: Scope): Claim | "lost" {
  const [fence, objects, ...rows] = reply as [string, string, ...(string | string[])[]];
  if (fence === "lost") return "lost";
  const known: ScopeRow[] = [];
  for (let n = 0; n + 1 < rows.length; n += 2) {
    const row = scopeRow({ resource: scope.resource, namespace: rows[n] as string }, rows[n + 1] as string[]);
    if (scopesOverlap(row.scope, scope)) known.push(row);
  }
  const { baselined, borrowed, checkpoint } = inherit(scope, known);
  const own = known.find((row) => row.scope.namespace === scope.namespace);
  return {
    scope,
    fence: Number(fence),
    rev: own?.rev ?? 0,
    baselined,
    checkpoint: checkpoint !== null && borrowed ? { ...checkpoint, count: Number(objects) } : checkpoint,
    borrowed,
    memo: own?.memo ?? EMPTY_MEMO,
  };
}

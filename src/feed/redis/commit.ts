import { sealDraft, type EventDraft } from "../../schemas/draft.ts";
import { scopeName, scopesOverlap, type Scope } from "../../schemas/scope.ts";
import { inherit, type ScopeRecord } from "../claims.ts";
import { Conflict, Fenced } from "../errors.ts";
import {
  NO_NOTES,
  type Checkpoint,
  type Claim,
  type Commit,
  type Committed,
  type ScopeNotes,
  type ScopeStatus,
  type StateWrite,
} from "../log.ts";
import { factsOf, nomadIndexOf, stateValue } from "./codec.ts";
import type { Connection } from "./connection.ts";
import { integerOf, isTexts, jsonOf, type Reply, type ReplySource } from "./reply.ts";
import { postingsOf } from "./postings.ts";

export interface Place {
  /** "" where none is known. */
  readonly epoch: string;
  readonly sequence: number;
}

/** The newest event that a process knows to be in the log. */
export interface Seen extends Place {
  /** Stream id and time of recording: no other event has both. */
  readonly stamp: string;
}

export const NOTHING_SEEN: Seen = { epoch: "", sequence: 0, stamp: "" };

export function seenArguments({ epoch, sequence, stamp }: Seen): [string, number, string] {
  return [epoch, sequence, stamp];
}

type Argument = string | number | Buffer;

export interface CommitContext {
  /** "" for Redis's own clock. */
  readonly nowMs: number | "";
  readonly seen: Seen;
  readonly streamPerResource: boolean;
  /** Writes into the events the places that follow this one: faster, and in vain where others were first. */
  readonly sealedAfter: Place | undefined;
}

/** The commit as the commit script reads it. */
export function argumentsOf(commit: Commit, context: CommitContext): Argument[] {
  const { scope, checkpoint, notes, knownEmptyScopes = [], events } = commit;
  const { nowMs, seen, streamPerResource, sealedAfter } = context;
  const nomadEpoch = Math.max(checkpoint?.nomadEpoch ?? 0, notes?.resync?.nomadEpoch ?? 0);
  const args: Argument[] = [
    scope.resource,
    scope.namespace,
    commit.fence,
    commit.expectedRev,
    commit.commitId,
    nowMs,
    checkpoint === undefined ? "" : JSON.stringify(checkpoint),
    notes === undefined ? "" : JSON.stringify(notes),
    nomadEpoch,
    ...seenArguments(seen),
    streamPerResource ? "1" : "",
    sealedAfter?.epoch ?? "",
    sealedAfter?.sequence ?? "",
    knownEmptyScopes.length,
    ...knownEmptyScopes.map(({ resource, namespace }) => `${resource}:${namespace}`),
  ];
  for (const argument of appendArguments(events, sealedAfter)) args.push(argument);
  for (const argument of stateArguments(commit.state)) args.push(argument);
  return args;
}

/** Events and their index, as scripts append them; sealed as those that follow a place, where that is given. */
export function appendArguments(events: readonly EventDraft[], after?: Place): Argument[] {
  const kinds = new Kinds();
  const overflows: Argument[] = [];
  const args: Argument[] = [];
  for (const [index, event] of events.entries()) {
    args.push(kinds.placeOf(event), nomadIndexOf(event), event.key ?? "", factsOf(event));
    if (after === undefined) args.push(event.head, event.tail);
    else args.push(sealDraft(event, after.epoch, after.sequence + index + 1));
    if (event.overflow !== null) overflows.push(index + 1, event.overflow);
  }
  const postings = postingsOf(events);
  const counted = [overflows.length / 2, ...overflows, events.length];
  return [kinds.list(), ...counted, ...args, postings.length / 2, ...postings];
}

/** What many events of a commit have in common is sent once. */
class Kinds {
  readonly #rows: string[][] = [];
  readonly #places = new Map<string, string>();

  placeOf({ type, op, namespace, severity, resource }: EventDraft): string {
    const kind = `${type} ${op} ${namespace} ${severity} ${resource}`;
    const known = this.#places.get(kind);
    if (known !== undefined) return known;
    // What JSON says with a lone surrogate is nothing that Redis reads.
    this.#rows.push([type, op ?? "", namespace?.toWellFormed() ?? "", severity, resource ?? ""]);
    const place = String(this.#rows.length);
    this.#places.set(kind, place);
    return place;
  }

  list(): string {
    return JSON.stringify(this.#rows);
  }
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

export interface CommitReply {
  readonly committed: Committed;
  /** Absent where nothing was appended. */
  readonly seen?: Seen;
}

/**
 * "lost" where the log lost what this writer saw in it; "moved" where the events were sealed and others were first;
 * "unclaimed" where it knows no claim.
 * @throws Fenced, Conflict.
 */
export function readCommitReply(reply: Reply, commit: Commit): CommitReply | "lost" | "moved" | "unclaimed" {
  const status = reply.text(0, "status");
  if (status === "lost" || status === "moved" || status === "unclaimed") return status;
  const one = reply.integer(1, "number");
  if (status === "fenced") throw new Fenced(`Scope ${scopeName(commit.scope)}`, commit.fence, one);
  if (status === "conflict") throw new Conflict(commit.scope, commit.expectedRev, one);
  const committed: Committed = {
    status: status === "duplicate" ? "duplicate" : "committed",
    first: one,
    last: reply.integer(2, "last"),
    rev: reply.integer(3, "rev"),
  };
  const newest = commit.events.at(-1);
  if (committed.status === "duplicate" || newest === undefined) return { committed };
  const stamp = `${committed.last}-${nomadIndexOf(newest)}/${reply.text(5, "time")}`;
  return { committed, seen: { epoch: reply.text(4, "epoch"), sequence: committed.last, stamp } };
}

interface ScopeRow extends ScopeRecord, ScopeStatus {
  readonly scope: Scope;
  readonly fence: number;
  readonly baselined: boolean;
  readonly checkpoint: Checkpoint | null;
  readonly notes: ScopeNotes;
}

/** A scope's hash, as HGETALL lists it. @throws LogUnusable */
export function scopeRow(scope: Scope, fields: ReadonlyMap<string, string>, source: ReplySource): ScopeRow {
  const number = (name: string) => integerOf(fields.get(name), name, source);
  const checkpoint = fields.get("checkpoint");
  const notes = fields.get("memo");
  return {
    scope,
    fence: number("fence"),
    owner: fields.get("owner") ?? "",
    rev: number("rev"),
    baselined: fields.get("baselined") === "1",
    checkpoint: checkpoint === undefined ? null : jsonOf(checkpoint, isCheckpoint, "checkpoint", source),
    checkpointFence: number("checkpointFence"),
    notes: notes === undefined ? NO_NOTES : jsonOf(notes, isNotes, "memo", source),
  };
}

function isCheckpoint(value: unknown): value is Checkpoint {
  const { index, nomadEpoch, count, observedAt } = Object(value) as Partial<Checkpoint>;
  return (
    typeof index === "string" &&
    Number.isSafeInteger(nomadEpoch) &&
    Number.isSafeInteger(count) &&
    typeof observedAt === "string"
  );
}

function isNotes(value: unknown): value is ScopeNotes {
  const { resync, hiddenNamespaces, trouble } = Object(value) as Partial<ScopeNotes>;
  return resync !== undefined && isTexts(hiddenNamespaces) && trouble !== undefined;
}

/** What the claim script's answer means for the one who claims; "lost" as in `readCommitReply`. */
export function readClaimReply(
  reply: Reply,
  scope: Scope,
  connection: Pick<Connection, "source">,
): Claim | "lost" {
  if (reply.text(0, "fence") === "lost") return "lost";
  const known: ScopeRow[] = [];
  for (let n = 2; n + 1 < reply.length; n += 2) {
    const { resource } = scope;
    const namespace = reply.text(n, "a namespace");
    const fields = reply.list(n + 1, "a scope").fields();
    const row = scopeRow(
      { resource, namespace },
      fields,
      connection.source(`scope:${resource}:${namespace}`),
    );
    if (scopesOverlap(row.scope, scope)) known.push(row);
  }
  const { baselined, borrowed, checkpoint } = inherit(scope, known);
  const own = known.find((row) => row.scope.namespace === scope.namespace);
  return {
    scope,
    fence: reply.integer(0, "fence"),
    rev: own?.rev ?? 0,
    baselined,
    checkpoint:
      checkpoint !== null && borrowed ? { ...checkpoint, count: reply.integer(1, "objects") } : checkpoint,
    borrowed,
    notes: own?.notes ?? NO_NOTES,
  };
}

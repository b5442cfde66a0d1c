import type { AclAdmin } from "./acl/acl-admin.ts";
import type { PolicyRules } from "./acl/records.ts";
import type { FaultHandle, FaultRule, FaultRules } from "./fault-rules.ts";
import type { Leadership } from "./leadership.ts";
import type { Raft } from "./raft.ts";

/** What can go wrong on demand: single answers by rules, the cluster as a whole by conditions. */
export class Faults {
  readonly #parts: { rules: FaultRules; leadership: Leadership; raft: Raft; acl: AclAdmin };

  constructor(parts: { rules: FaultRules; leadership: Leadership; raft: Raft; acl: AclAdmin }) {
    this.#parts = parts;
  }

  /** Spoils answers, see FAULT_KINDS, and event streams, see STREAM_FAULT_KINDS. */
  add(rule: FaultRule): FaultHandle {
    return this.#parts.rules.add(rule);
  }

  /** Ends every rule and condition: answers are whole, there is a leader, stale reads are fresh. */
  clear(): void {
    this.#parts.rules.clear();
    this.electLeader();
    this.catchUp();
    this.delayReads(undefined);
  }

  /** Queries that sleep end with 500 "rpc error: EOF"; new ones wait, then get 500 "No cluster leader". */
  loseLeader(): void {
    this.#parts.leadership.lose();
  }

  electLeader(): void {
    this.#parts.leadership.elect();
  }

  /** Another server leads at once: only sleeping queries notice. */
  changeLeader(): void {
    this.#parts.leadership.change();
  }

  /** Stale reads see the cluster as it was `indexes` raft indexes ago. */
  lagFollower(indexes: number): void {
    this.#parts.raft.setFollowerLag(indexes);
  }

  catchUp(): void {
    this.#parts.raft.setFollowerLag(undefined);
  }

  /**
   * Lets answers show each write this many ms after its events: who reads because of an event may read what was
   * before it, unless the query blocks. Undefined: at once.
   */
  delayReads(delayMs: number | undefined): void {
    this.#parts.raft.delayReads(delayMs);
  }

  /** The server starts again, or another one answers: event streams end, and it remembers no event. */
  forgetEvents(): void {
    this.#parts.raft.events.reset();
  }

  /** Deletes the token: queries under way go on, new ones get 403. */
  revokeToken(secretId: string): void {
    this.#parts.acl.deleteToken(secretId);
  }

  /** Gives the token these rules only: lists of all namespaces shrink silently, others get 403. */
  narrowToken(secretId: string, rules: PolicyRules): void {
    const name = `narrowed-${secretId.slice(0, 8)}`;
    this.#parts.acl.setPolicy(name, rules);
    this.#parts.acl.updateToken(secretId, { policies: [name] });
  }
}

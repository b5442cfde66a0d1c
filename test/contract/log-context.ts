import {
  type Checkpoint,
  type Claim,
  type Commit,
  type FeedLog,
  type StateEntry,
} from "../../src/feed/log.ts";
import type { EventDraft } from "../../src/schemas/draft.ts";
import type { ObjectRef, ResourceType } from "../../src/schemas/resources.ts";
import { systemClock, type Clock } from "../../src/shared/clock.ts";
import type { Scope } from "../../src/schemas/scope.ts";
import { draft, objectChange } from "../support/drafts.ts";

/** A new, empty log, and what the suite must be able to do to it besides using it. */
interface LogUnderTest {
  readonly log: FeedLog;
  /** Closes the log and opens it again: what a restart sees. The suite closes what it gets. */
  reopen(): Promise<FeedLog>;
  /** A second way to the same log, for reading, as another process has it. */
  reader(): Promise<FeedLog>;
  /** Releases everything. */
  dispose(): Promise<void>;
}

/** The log dates what it records by `clock`. `maxDeadLetters`: that a consumer may have. */
export type OpenLog = (options: { clock: Clock; maxDeadLetters?: number }) => Promise<LogUnderTest>;

export const JOBS: Scope = { resource: "jobs", namespace: "default" };
export const PROD: Scope = { resource: "jobs", namespace: "prod" };
export const ALL_JOBS: Scope = { resource: "jobs", namespace: "*" };
export const ALLOCATIONS: Scope = { resource: "allocations", namespace: "*" };
export const NODES: Scope = { resource: "nodes", namespace: "-" };
export const MAX_DEAD_LETTERS = 50;
export const START_MS = Date.UTC(2026, 7, 22, 10);

/** A log for each test, and what tests do with it all the time. */
export class LogContext {
  log!: FeedLog;
  under!: LogUnderTest;
  nowMs = START_MS;
  readonly #open: OpenLog;
  #commits = 0;

  constructor(open: OpenLog) {
    this.#open = open;
  }

  async open(): Promise<void> {
    this.nowMs = START_MS;
    this.under = await this.#open({
      clock: { ...systemClock, now: () => this.nowMs },
      maxDeadLetters: MAX_DEAD_LETTERS,
    });
    this.log = this.under.log;
  }

  chunk(claim: Claim, part: Partial<Commit> = {}): Commit {
    return {
      scope: claim.scope,
      fence: claim.fence,
      expectedRev: claim.rev,
      commitId: `commit-${(this.#commits += 1)}`,
      events: [],
      state: [],
      ...part,
    };
  }

  /** Commits events under a new claim. */
  async append(...events: EventDraft[]) {
    return this.log.commit(this.chunk(await this.log.claim(JOBS, "me"), { events }));
  }

  appendMany(count: number) {
    return this.append(...Array.from({ length: count }, (_, n) => job(`job-${n}`)));
  }

  checkpoint(index: string, part: Partial<Checkpoint> = {}): Checkpoint {
    return { index, nomadEpoch: 0, count: 0, observedAt: "2026-08-22T10:00:00Z", ...part };
  }

  /** Polls a scope once: claim, write objects, checkpoint. */
  async poll(scope: Scope, index: string, refs: ObjectRef[] = [], part: Partial<Checkpoint> = {}) {
    const changes = refs.map((ref) => objectChange(ref, index));
    await this.log.commit(
      this.chunk(await this.log.claim(scope, "me"), {
        events: changes.map((change) => change.event),
        state: changes.map((change) => change.state),
        checkpoint: this.checkpoint(index, { count: refs.length, ...part }),
      }),
    );
  }

  async earliest() {
    const { epoch, floor } = await this.log.head();
    return { epoch, sequence: floor };
  }

  async readAll(from: FeedLog = this.log) {
    const { epoch, floor } = await from.head();
    return from.read({ epoch, sequence: floor }, { limit: 10_000 });
  }
}

export function jobRef(key: string, namespace = "default"): ObjectRef {
  return { resource: "jobs" satisfies ResourceType, namespace, key };
}

export function job(key: string): EventDraft {
  return draft({ ...jobRef(key), job: key });
}

export async function objects(batches: AsyncIterable<StateEntry[]>): Promise<StateEntry[]> {
  const all: StateEntry[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
}

/** All there is to see of a log. */
export async function everything(log: FeedLog) {
  const head = await log.head();
  await using read = await log.consistentRead();
  return {
    head,
    events: await log.read({ epoch: head.epoch, sequence: head.floor }, { limit: 10_000 }),
    state: await objects(read.entries()),
    scopes: await log.scopes(),
    consumers: await log.consumers.list(),
  };
}

import type { Claim, Commit, Committed, FeedLog } from "../../src/feed/log.ts";

export type Breakage = (commit: Commit, write: () => Promise<Committed>) => Promise<Committed>;

/**
 * A real log whose next commits go wrong as a test says: `break` takes one breakage a commit, in order, and each
 * may write or not, and answer or fail.
 */
export function breakable(
  log: FeedLog,
): FeedLog & { breakNext(...breakages: Breakage[]): void; commits: Commit[] } {
  const pending: Breakage[] = [];
  const commits: Commit[] = [];
  return {
    commits,
    breakNext: (...breakages) => void pending.push(...breakages),
    consumers: log.consumers,
    deadLetters: log.deadLetters,
    documents: log.documents,
    head: () => log.head(),
    bytes: () => log.bytes(),
    claim: (scope, owner): Promise<Claim> => log.claim(scope, owner),
    loadState: (scope) => log.loadState(scope),
    commit: async (commit) => {
      commits.push(commit);
      const breakage = pending.shift();
      return breakage === undefined ? log.commit(commit) : breakage(commit, () => log.commit(commit));
    },
    outage: () => log.outage(),
    tellOutage: (change) => log.tellOutage(change),
    read: (cursor, options) => log.read(cursor, options),
    eventsAt: (sequences) => log.eventsAt(sequences),
    waitBeyond: (sequence, options) => log.waitBeyond(sequence, options),
    history: (query) => log.history(query),
    scanHistory: (query) => log.scanHistory(query),
    firstChanges: (query) => log.firstChanges(query),
    hasHoles: () => log.hasHoles(),
    cursorAt: (timeMs) => log.cursorAt(timeMs),
    overflow: (sequence) => log.overflow(sequence),
    times: () => log.times(),
    consistentRead: () => log.consistentRead(),
    trim: (limits) => log.trim(limits),
    scopes: () => log.scopes(),
    filled: () => log.filled(),
    beginEmpty: (scopes) => log.beginEmpty(scopes),
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
  };
}

import type { Commit, Op, State } from "./state.ts";

export type Matches = (op: Op) => boolean;

/** A pending wake-up. */
export interface Watch {
  cancel(): void;
}

/** One server's state and the queries sleeping on it. */
export class Replica {
  #state: State;
  readonly #watchers = new Set<{ matches: Matches; wake: () => void }>();

  constructor(state: State) {
    this.#state = state;
  }

  get state(): State {
    return this.#state;
  }

  apply(commit: Commit): void {
    this.#state.apply(commit);
    for (const watcher of this.#watchers) {
      if (commit.ops.some((op) => watcher.matches(op))) this.#wake(watcher);
    }
  }

  /** Abandons the state for another one, as a snapshot restore does: every sleeper looks again. */
  replace(state: State): void {
    this.replaceQuietly(state)();
  }

  /** As `replace`, but who sleeps looks only when the returned function is called. */
  replaceQuietly(state: State): () => void {
    this.#state = state;
    const sleepers = [...this.#watchers];
    return () => {
      for (const watcher of sleepers) this.#wake(watcher);
    };
  }

  wakeAll(): void {
    for (const watcher of this.#watchers) this.#wake(watcher);
  }

  /** Calls `wake` once, when a matching write lands or the whole state is replaced. */
  watch(matches: Matches, wake: () => void): Watch {
    const watcher = { matches, wake };
    this.#watchers.add(watcher);
    return { cancel: () => this.#watchers.delete(watcher) };
  }

  /** Sleeping queries. */
  get sleepers(): number {
    return this.#watchers.size;
  }

  #wake(watcher: { matches: Matches; wake: () => void }): void {
    this.#watchers.delete(watcher);
    watcher.wake();
  }
}

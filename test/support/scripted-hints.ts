import type { Hints } from "../../src/pollers/hints/hinted-reading.ts";
import type { Hint, HintListener, HintSubscription } from "../../src/pollers/hints/hint.ts";
import { scopeName, type Scope } from "../../src/schemas/scope.ts";

/** Hints as a test dictates them; live from the first moment unless said otherwise. */
export class ScriptedHints implements Hints {
  renewed = 0;
  readonly #listeners = new Map<string, HintListener>();
  readonly #explained = new Set<bigint>();
  #isLive: boolean;

  constructor({ live = true } = {}) {
    this.#isLive = live;
  }

  /** Names of the scopes that hints are wanted for. */
  get wanted(): readonly string[] {
    return [...this.#listeners.keys()];
  }

  want(scope: Scope, listener: HintListener): HintSubscription {
    this.#listeners.set(scopeName(scope), listener);
    queueMicrotask(() => this.#isLive && listener.onLive());
    return {
      explains: (index) => this.#explained.has(index),
      end: () => this.#listeners.delete(scopeName(scope)),
    };
  }

  renew(): void {
    this.renewed++;
  }

  live(): void {
    this.#isLive = true;
    for (const listener of this.#listeners.values()) listener.onLive();
  }

  gap(reason: string): void {
    this.#isLive = false;
    for (const listener of this.#listeners.values()) listener.onGap(reason);
  }

  /** One raft entry, told to every scope. It explains its index, unless a job is gone. */
  tell(index: number, ...hints: readonly Omit<Hint, "index">[]): void {
    if (!hints.some(({ gone }) => gone)) this.#explained.add(BigInt(index));
    const frame = { index: BigInt(index), hints: hints.map((hint) => ({ ...hint, index: BigInt(index) })) };
    for (const listener of this.#listeners.values()) listener.onFrame(frame);
  }
}

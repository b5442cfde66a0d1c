import { AuthUnavailable, LimitReached } from "./errors.ts";

/** Who has something asked. */
export interface Requester {
  /** As the limits count it. */
  readonly address: string;
  /** Whether the token was good when it was checked last. */
  readonly known: boolean;
}

/** How many of one address may wait, and of all. */
const MAX_WAITING_OF_ADDRESS = 50;
const MAX_WAITING = 10_000;
/** Tokens that were good go first, but every fourth turn is for others. */
const KNOWN_IN_A_ROW = 3;

/**
 * Lets some work run at once, and the rest wait: first for tokens that were good, then for one of each address in turn,
 * so that an address that asks about thousands of tokens delays another by no more than one of them.
 */
export class FairSlots {
  #free: number;
  readonly #known = new Set<() => void>();
  readonly #strangers = new Map<string, Set<() => void>>();
  #waiting = 0;
  #knownInARow = 0;

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  /**
   * @throws LimitReached, AuthUnavailable where too many wait; AuthUnavailable when `signal` aborts before its turn.
   */
  async run<T>(requester: Requester, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await this.#turn(requester, signal);
    else this.#free -= 1;
    try {
      return await work();
    } finally {
      const next = this.#next();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  #turn({ address, known }: Requester, signal: AbortSignal): Promise<void> {
    const line = known ? this.#known : (this.#strangers.get(address) ?? new Set());
    if (!known && line.size >= MAX_WAITING_OF_ADDRESS) throw tooMany();
    if (this.#waiting >= MAX_WAITING) throw new AuthUnavailable();
    if (!known) this.#strangers.set(address, line);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        line.delete(go);
        this.#waiting -= 1;
        if (!known && line.size === 0 && this.#strangers.get(address) === line)
          this.#strangers.delete(address);
        signal.removeEventListener("abort", giveUp);
      };
      const go = (): void => {
        leave();
        resolve();
      };
      const giveUp = (): void => {
        leave();
        reject(new AuthUnavailable(signal.reason));
      };
      signal.addEventListener("abort", giveUp, { once: true });
      line.add(go);
      this.#waiting += 1;
      if (signal.aborted) giveUp();
    });
  }

  #next(): (() => void) | undefined {
    const [known] = this.#known;
    const [turn] = this.#strangers;
    if (known !== undefined && (turn === undefined || this.#knownInARow < KNOWN_IN_A_ROW)) {
      this.#knownInARow += 1;
      return known;
    }
    this.#knownInARow = 0;
    if (turn === undefined) return undefined;
    const [address, line] = turn;
    // To the end: the others first.
    this.#strangers.delete(address);
    this.#strangers.set(address, line);
    const [first] = line;
    return first;
  }
}

function tooMany(): LimitReached {
  return new LimitReached(`${MAX_WAITING_OF_ADDRESS} tokens of your address wait to be checked`, {
    retryAfterSeconds: 2,
    hint: "Wait until they are; a token that is known already need not",
  });
}

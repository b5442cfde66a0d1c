const SOON_MS = 15_000;
const LATER_MS = 5 * 60_000;

/**
 * When what Nomad refuses is asked for again. The first time that is soon: a server that has just started refuses
 * everybody for up to five seconds.
 */
export class RefusedRecheck {
  #count = 0;

  /** Ms from the refusal on. */
  next(): number {
    return this.#count++ === 0 ? SOON_MS : LATER_MS;
  }

  /** It was allowed. */
  reset(): void {
    this.#count = 0;
  }
}

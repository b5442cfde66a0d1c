/** After a wrong guess as many must have been right before one is acted upon: with several writers few are made in vain. */
const TRUSTED_AFTER = 8;

/** A guess that is made again and again, and how far it is to be trusted. */
export class Guess {
  #right = TRUSTED_AFTER;

  get isGood(): boolean {
    return this.#right >= TRUSTED_AFTER;
  }

  was(right: boolean): void {
    this.#right = right ? this.#right + 1 : 0;
  }
}

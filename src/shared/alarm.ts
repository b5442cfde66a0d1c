import type { Clock } from "./clock.ts";

/** Something to do later, unless it is called off. */
export class Alarm {
  readonly #clock: Clock;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isSet(): boolean {
    return this.#cancel !== undefined;
  }

  /** In place of what it was set to before. */
  set(ms: number, run: () => void): void {
    this.cancel();
    const cancel = this.#clock.after(ms, () => void this.#goOff(cancel, run));
    this.#cancel = cancel;
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** What has arrived while the event loop was busy is dealt with first, and may call it off. */
  async #goOff(cancel: () => void, run: () => void): Promise<void> {
    await this.#clock.yield();
    if (this.#cancel !== cancel) return;
    this.#cancel = undefined;
    run();
  }
}

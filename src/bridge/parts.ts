import type { Logger } from "../telemetry/logger.ts";

/** Closes what was opened, last first, once; what does not close cleanly keeps nothing else from being closed. */
export class Parts implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  use<T extends AsyncDisposable>(part: T): T {
    this.defer(() => part[Symbol.asyncDispose]());
    return part;
  }

  defer(close: () => PromiseLike<void>): void {
    this.#stack.defer(async () => {
      try {
        await close();
      } catch (error) {
        this.#logger.warn({ err: error }, "a component did not close cleanly");
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

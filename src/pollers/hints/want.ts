import type { Scope } from "../../schemas/scope.ts";
import { goesWithAJob } from "./explained.ts";
import type { StreamFrame } from "./frame.ts";
import type { Hint, HintListener } from "./hint.ts";

/** One scope that wants hints, and what it has been told. */
export class Want {
  readonly scope: Scope;
  readonly #listener: HintListener;
  /** The position in what was explained, from which on it has heard everything; undefined while it hears nothing. */
  #liveSince: number | undefined;

  constructor(scope: Scope, listener: HintListener) {
    this.scope = scope;
    this.#listener = listener;
  }

  get liveSince(): number | undefined {
    return this.#liveSince;
  }

  get isLive(): boolean {
    return this.#liveSince !== undefined;
  }

  goLive(position: number): void {
    this.#liveSince = position;
    this.#listener.onLive();
  }

  miss(reason: string): void {
    if (!this.isLive) return;
    this.#liveSince = undefined;
    this.#listener.onGap(reason);
  }

  /** Nothing is told any more. */
  end(): void {
    this.#liveSince = undefined;
  }

  hear(frame: StreamFrame): void {
    if (!this.isLive) return;
    const hints = frame.hints.filter((hint) => this.#concerns(hint));
    if (hints.length === 0 && !frame.explained.has(this.scope.resource)) return;
    this.#listener.onFrame({ index: frame.index, hints });
  }

  #concerns({ resource, namespace, gone }: Hint): boolean {
    const { scope } = this;
    if (scope.namespace !== "*" && scope.namespace !== namespace) return false;
    return resource === scope.resource || (gone === true && goesWithAJob(scope.resource));
  }
}

import type { Scope } from "../../schemas/scope.ts";
import type { Coverage } from "./coverage.ts";
import { Explained, goesWithAJob } from "./explained.ts";
import type { RaftEntry } from "./frame.ts";
import type { Hint, HintListener } from "./hint.ts";

/** A stream that is heard, and what it has explained. */
export interface HeardStream {
  readonly name: string;
  readonly explained: Explained;
  coverage: Coverage;
}

/** One scope that wants hints, and what it has been told. */
export class Want {
  readonly scope: Scope;
  readonly #listener: HintListener;
  /** The stream, and the position in what it explains from which on everything was heard; undefined: hears nothing. */
  #heard: { readonly stream: HeardStream; readonly since: number } | undefined;

  constructor(scope: Scope, listener: HintListener) {
    this.scope = scope;
    this.#listener = listener;
  }

  get isLive(): boolean {
    return this.#heard !== undefined;
  }

  /** Name of the stream that it hears. */
  get stream(): string | undefined {
    return this.#heard?.stream.name;
  }

  explains(index: bigint): boolean {
    if (this.#heard === undefined) return false;
    const { stream, since } = this.#heard;
    return stream.explained.has(this.scope.resource, index, since);
  }

  goLive(stream: HeardStream): void {
    this.#heard = { stream, since: stream.explained.position };
    this.#listener.onLive();
  }

  miss(reason: string): void {
    if (!this.isLive) return;
    this.#heard = undefined;
    this.#listener.onGap(reason);
  }

  /** Nothing is told any more. */
  end(): void {
    this.#heard = undefined;
  }

  hear(entry: RaftEntry): void {
    const hints = entry.hints.filter((hint) => this.#concerns(hint));
    if (hints.length === 0 && !entry.explained.has(this.scope.resource)) return;
    this.#listener.onFrame({ index: entry.index, hints });
  }

  #concerns({ resource, namespace, gone }: Hint): boolean {
    const { scope } = this;
    if (scope.namespace !== "*" && scope.namespace !== namespace) return false;
    return resource === scope.resource || (gone === true && goesWithAJob(scope.resource));
  }
}

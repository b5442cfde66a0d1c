import type { Scope } from "../../schemas/scope.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { isCovered, type Coverage } from "./coverage.ts";
import { Explained, isHinted } from "./explained.ts";
import type { RaftEntry } from "./frame.ts";
import type { HintListener, HintSubscription } from "./hint.ts";
import { Want, type HeardStream } from "./want.ts";

/** Who hears what event streams tell. A stream is named by the namespace that it is of; "*" is of all. */
export interface StreamListener {
  /** All that happens in what is covered is told from now on. Said again, nothing changes but what is covered. */
  onLive(stream: string, coverage: Coverage): void;
  onEntry(stream: string, entry: RaftEntry): void;
  /** Something may have been missed, or the stream is away: until `onLive` nothing counts. */
  onGap(stream: string, reason: string): void;
}

/** The scopes of this process that want hints, whoever follows the streams. */
export class Audience implements StreamListener {
  readonly #metrics: Pick<Metrics, "hints">;
  readonly #onChanged: () => void;
  readonly #wants = new Set<Want>();
  /** Those that are live. */
  readonly #streams = new Map<string, HeardStream>();

  /** `onChanged`: another scope wants hints, or one wants none any more. */
  constructor(metrics: Pick<Metrics, "hints">, onChanged: () => void) {
    this.#metrics = metrics;
    this.#onChanged = onChanged;
  }

  get scopes(): Scope[] {
    return [...this.#wants].map(({ scope }) => scope);
  }

  /** Names of the streams that are live. */
  get streams(): string[] {
    return [...this.#streams.keys()];
  }

  want(scope: Scope, listener: HintListener): HintSubscription {
    const want = new Want(scope, listener);
    if (isHinted(scope.resource)) {
      this.#wants.add(want);
      queueMicrotask(() => this.#begin(want));
    }
    return { explains: (index) => want.explains(index), end: () => this.#end(want) };
  }

  onLive(name: string, coverage: Coverage): void {
    const stream = this.#streams.get(name) ?? { name, explained: new Explained(), coverage };
    stream.coverage = coverage;
    this.#streams.set(name, stream);
    for (const want of this.#wants) this.#admit(want, stream);
  }

  onEntry(name: string, entry: RaftEntry): void {
    this.#streams.get(name)?.explained.add(entry.explained, entry.index);
    for (const { resource } of entry.hints) this.#metrics.hints.inc({ resource });
    for (const want of this.#wants) if (want.stream === name) want.hear(entry);
  }

  onGap(name: string, reason: string): void {
    this.#streams.delete(name);
    for (const want of this.#wants) if (want.stream === name) want.miss(reason);
  }

  #begin(want: Want): void {
    if (!this.#wants.has(want)) return;
    for (const stream of this.#streams.values()) this.#admit(want, stream);
    this.#onChanged();
  }

  #admit(want: Want, stream: HeardStream): void {
    if (!want.isLive && isCovered(want.scope, stream.coverage)) want.goLive(stream);
  }

  #end(want: Want): void {
    want.end();
    if (this.#wants.delete(want)) this.#onChanged();
  }
}

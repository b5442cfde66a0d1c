import { secondsBetween, type NodeCounts } from "./counts.ts";
import type { NodeFacts } from "./stubs.ts";

/** A node as it was seen last. */
export interface NodeSpans {
  /** Where its times are counted: its own id, or `other`. */
  readonly series: string;
  /** Since when, ms since 1970, up to which its times are counted; null: it is not. */
  readonly downSince: number | null;
  readonly drainSince: number | null;
}

export interface NodeTimesState {
  readonly spans: readonly (readonly [string, NodeSpans])[];
  readonly counts: readonly (readonly [string, NodeCounts])[];
}

/** How long nodes were down, and were drained: of up to `maxNodes` each by itself, of the others together. */
export class NodeTimes {
  readonly #maxNodes: number;
  readonly #other: string;
  readonly #spans: Map<string, NodeSpans>;
  readonly #counts: Map<string, NodeCounts>;

  constructor(maxNodes: number, other: string, state?: NodeTimesState) {
    this.#maxNodes = maxNodes;
    this.#other = other;
    this.#spans = new Map(state?.spans);
    this.#counts = new Map(state?.counts);
    if (!this.#counts.has(other)) this.#counts.set(other, newNode(other));
  }

  get state(): NodeTimesState {
    return { spans: [...this.#spans], counts: [...this.#counts] };
  }

  /** Up to `now`, ms since 1970. */
  at(now: number): Map<string, NodeCounts> {
    const counts = new Map([...this.#counts].map(([id, node]) => [id, { ...node }]));
    for (const spans of this.#spans.values()) charge(counts, spans, now);
    return counts;
  }

  set(id: string, { name, isDown, isDraining }: NodeFacts, at: number): void {
    const known = this.#spans.get(id);
    if (known !== undefined) charge(this.#counts, known, at);
    const series = known?.series ?? this.#seriesFor(id);
    const counts = this.#counts.get(series) ?? newNode(name);
    if (series === id) counts.name = name;
    this.#counts.set(series, counts);
    this.#spans.set(id, { series, downSince: isDown ? at : null, drainSince: isDraining ? at : null });
  }

  remove(id: string, at: number): void {
    const known = this.#spans.get(id);
    if (known === undefined) return;
    charge(this.#counts, known, at);
    this.#spans.delete(id);
    if (known.series === id) this.#counts.delete(id);
  }

  /** These are all that there are. */
  seed(nodes: ReadonlyMap<string, NodeFacts>, at: number): void {
    for (const id of this.#spans.keys()) if (!nodes.has(id)) this.remove(id, at);
    for (const [id, facts] of nodes) this.set(id, facts, at);
  }

  #seriesFor(id: string): string {
    return this.#counts.size > this.#maxNodes ? this.#other : id;
  }
}

function newNode(name: string): NodeCounts {
  return { name, downSeconds: 0, drainSeconds: 0 };
}

function charge(
  counts: ReadonlyMap<string, NodeCounts>,
  { series, downSince, drainSince }: NodeSpans,
  now: number,
): void {
  const node = counts.get(series);
  if (node === undefined) return;
  node.downSeconds += secondsBetween(downSince ?? now, now);
  node.drainSeconds += secondsBetween(drainSince ?? now, now);
}

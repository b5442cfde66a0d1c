import type { FeedLog } from "../feed/log.ts";
import type { Cursor } from "../schemas/cursor.ts";
import type { StatePart } from "../feed/log.ts";

/** What was looked through: events after `from`, through `to`. */
interface Known {
  readonly epoch: string;
  from: number;
  to: number;
  /** By scope, `jobs/default`: sequence of its newest mark. */
  readonly marks: Map<string, number>;
}

/**
 * When scopes were read for the first time: of what was found then, nothing is known from before. What was looked
 * through once is remembered.
 */
export class Baselines {
  readonly #log: Pick<FeedLog, "scanHistory">;
  #known: Known | undefined;

  constructor(log: Pick<FeedLog, "scanHistory">) {
    this.#log = log;
  }

  /** Looks through the events after `after`, through the sequence `through`. Yields between its steps. */
  async *find({ epoch, sequence: after }: Cursor, through: number): AsyncGenerator<never[]> {
    const isOfBefore = this.#known?.epoch !== epoch;
    const fresh: Known = { epoch, from: through, to: through, marks: new Map() };
    const known = isOfBefore ? fresh : (this.#known ?? fresh);
    this.#known = known;
    if (after < known.from) {
      yield* this.#scan(known.marks, after, known.from);
      known.from = Math.min(known.from, after);
    }
    if (through > known.to) {
      yield* this.#scan(known.marks, known.to, through);
      known.to = Math.max(known.to, through);
    }
  }

  /** Sequence of the mark with which the part's scope was first read; 0 where none was found. */
  markOf({ resource, namespace }: StatePart): number {
    const marks = this.#known?.marks;
    return Math.max(marks?.get(`${resource}/${namespace}`) ?? 0, marks?.get(`${resource}/*`) ?? 0);
  }

  async *#scan(marks: Map<string, number>, after: number, through: number): AsyncGenerator<never[]> {
    const range = { after, before: through + 1, order: "oldest-first" } as const;
    for await (const batch of this.#log.scanHistory({ ...range, op: null })) {
      for (const { type, resource, namespace, sequence } of batch) {
        if (type !== "nomad.feed.baseline") continue;
        const scope = `${resource}/${namespace}`;
        marks.set(scope, Math.max(sequence, marks.get(scope) ?? 0));
      }
      yield [];
    }
  }
}

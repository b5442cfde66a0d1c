import type { FeedLog, HistoryFacts, StatePart } from "../feed/log.ts";
import type { Cursor } from "../schemas/cursor.ts";

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

  /**
   * Looks through the events after `after`, through the sequence `through`, but for those that were looked through
   * before. Yields nothing, now and then, so that its reader can make a pause.
   */
  async *find({ epoch, sequence: after }: Cursor, through: number): AsyncGenerator<never[]> {
    if (this.#known?.epoch !== epoch) this.#known = { epoch, from: through, to: through, marks: new Map() };
    const known = this.#known;
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
    const includes = ({ type, resource, namespace, sequence }: HistoryFacts): boolean => {
      const scope = `${resource}/${namespace}`;
      if (type === "nomad.feed.baseline") marks.set(scope, Math.max(sequence, marks.get(scope) ?? 0));
      // What is known of it is enough: it is not read.
      return false;
    };
    const range = { after, before: through + 1, order: "oldest-first" } as const;
    for await (const _ of this.#log.scanHistory({ ...range, op: null, includes })) yield [];
  }
}

import type { Random } from "../random.ts";

/** Something that goes on by itself once begun. `idle` counts visits that found nothing to do. */
export interface Errand {
  readonly kind: "evaluation" | "allocation" | "deployment" | "drain" | "node-down" | "driver" | "unblock";
  /** Object id. */
  readonly id: string;
  readonly idle: number;
}

/** What is under way in the cluster. Order of work is the seed's, not that of arrival. */
export class Agenda {
  readonly #errands: Errand[] = [];

  add(kind: Errand["kind"], id: string): void {
    this.#errands.push({ kind, id, idle: 0 });
  }

  /** Puts an errand back that has to wait for another one. */
  postpone(errand: Errand): void {
    this.#errands.push({ ...errand, idle: errand.idle + 1 });
  }

  take(random: Random): Errand | undefined {
    if (this.#errands.length === 0) return undefined;
    const position = random.between(0, this.#errands.length - 1);
    const errand = this.#errands[position];
    const last = this.#errands.pop();
    if (last !== undefined && position < this.#errands.length) this.#errands[position] = last;
    return errand;
  }

  get size(): number {
    return this.#errands.length;
  }
}

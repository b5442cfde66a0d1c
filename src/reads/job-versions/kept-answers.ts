import type { Clock } from "../../shared/clock.ts";

/** Of all answers together, as JSON. */
const MAX_CHARACTERS = 4 * 2 ** 20;

interface Kept<Answer> {
  readonly answer: Answer;
  readonly characters: number;
  readonly until: number;
}

/** Answers that are good for some time; the oldest go first where they are too much. */
export class KeptAnswers<Answer> {
  readonly #freshMs: number;
  readonly #clock: Pick<Clock, "elapsed">;
  readonly #kept = new Map<string, Kept<Answer>>();
  #characters = 0;

  constructor({ freshMs, clock }: { freshMs: number; clock: Pick<Clock, "elapsed"> }) {
    this.#freshMs = freshMs;
    this.#clock = clock;
  }

  get(key: string): { readonly answer: Answer } | undefined {
    this.#dropOld();
    return this.#kept.get(key);
  }

  keep(key: string, answer: Answer): void {
    this.#drop(key);
    const characters = (JSON.stringify(answer)?.length ?? 0) + key.length;
    this.#kept.set(key, { answer, characters, until: this.#clock.elapsed() + this.#freshMs });
    this.#characters += characters;
    this.#dropOld();
  }

  #dropOld(): void {
    const now = this.#clock.elapsed();
    for (const [key, { until }] of this.#kept) {
      if (until > now && this.#characters <= MAX_CHARACTERS) return;
      this.#drop(key);
    }
  }

  #drop(key: string): void {
    this.#characters -= this.#kept.get(key)?.characters ?? 0;
    this.#kept.delete(key);
  }
}

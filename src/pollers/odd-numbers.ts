import { subjectOf, type ObjectRef } from "../schemas/resources.ts";
import type { Logger } from "../telemetry/logger.ts";

/** Says of which objects a number was read as null, once for each. */
export class OddNumbers {
  readonly #logger: Logger;
  #said: ReadonlySet<string> = new Set();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  say(refs: readonly ObjectRef[]): void {
    const subjects = new Set(refs.map(subjectOf));
    const news = [...subjects].filter((subject) => !this.#said.has(subject));
    this.#said = subjects;
    if (news.length === 0) return;
    this.#logger.warn(
      { count: news.length, objects: news.slice(0, 20) },
      `${news[0]} has a number that JSON cannot express (-Inf, +Inf, NaN; Nomad before 1.5 writes such scores); reading it as null`,
    );
  }
}

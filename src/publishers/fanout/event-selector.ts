import type { Batch } from "./batch.ts";
import type { Pace } from "./pace.ts";
import type { EventFilter } from "../selection/event-filter.ts";
import type { Form } from "../selection/payload.ts";

/** What of a batch a subscriber gets. */
export interface Selection {
  /** Frames of neighbouring events in one piece each; shared, never to be written to. */
  readonly chunks: readonly Buffer[];
  readonly events: number;
  /** Sequence up to which all that passes is in `chunks`. */
  readonly reached: number;
}

/** Which events go out, and in which form. */
export class EventSelector {
  readonly #filter: EventFilter;
  readonly #form: Form;

  constructor(filter: EventFilter, form: Form) {
    this.#filter = filter;
    this.#form = form;
  }

  /** At most `limit` events of `batch` after the sequence `after`, as far as the turn goes. */
  select(batch: Batch, after: number, limit: number, pace: Pace): Selection {
    const { entries } = batch;
    const chunks: Buffer[] = [];
    let position = batch.positionAfter(after);
    let runBegins = position;
    let reached = Math.max(after, batch.after.sequence);
    let events = 0;
    const endRun = () => {
      if (position > runBegins) chunks.push(batch.frames(this.#form, runBegins, position));
    };
    for (; position < entries.length && events < limit; position += 1) {
      const passes = this.verdict(batch, position, pace);
      if (passes === undefined) break;
      reached = entries[position]?.sequence ?? reached;
      if (passes) events += 1;
      else {
        endRun();
        runBegins = position + 1;
      }
    }
    endRun();
    return { chunks, events, reached };
  }

  /** Whether an event passes; undefined where the turn is over. */
  protected verdict(batch: Batch, position: number, pace: Pace): boolean | undefined {
    const entry = batch.entries[position];
    return entry === undefined ? undefined : pace.ask(this.#filter, entry);
  }
}

const UNKNOWN = 0;
const PASSES = 1;
const FAILS = 2;

/**
 * The selector of those who asked for the same and may see the same. What was decided of an event for one of them is
 * decided for all; and as they come one after the other for the same batch, the last answer is remembered whole.
 */
class SharedSelector extends EventSelector {
  users = 0;
  #last: { readonly batch: Batch; readonly selection: Selection } | undefined;
  readonly #verdicts = new WeakMap<Batch, Uint8Array>();

  override select(batch: Batch, after: number, limit: number, pace: Pace): Selection {
    const isPart = after > batch.after.sequence || limit < batch.entries.length;
    if (!isPart && this.#last?.batch === batch) return this.#last.selection;
    const selection = super.select(batch, after, limit, pace);
    if (this.users > 1 && !isPart && selection.reached === batch.last) this.#last = { batch, selection };
    return selection;
  }

  protected override verdict(batch: Batch, position: number, pace: Pace): boolean | undefined {
    if (this.users === 1) return super.verdict(batch, position, pace);
    const verdicts = this.#verdicts.get(batch) ?? new Uint8Array(batch.entries.length);
    this.#verdicts.set(batch, verdicts);
    const known = verdicts[position] ?? UNKNOWN;
    if (known !== UNKNOWN) return known === PASSES;
    const passes = super.verdict(batch, position, pace);
    if (passes !== undefined) verdicts[position] = passes ? PASSES : FAILS;
    return passes;
  }
}

/** One selector for all who have the same key and form, for as long as one of them is there. */
export class SharedSelectors {
  readonly #selectors = new Map<Form, Map<string, SharedSelector>>();

  /** Call `release` once when the subscriber is gone. */
  share(
    key: string,
    form: Form,
    makeFilter: () => EventFilter,
  ): { selector: EventSelector; release: () => void } {
    const sameForm = this.#selectors.get(form) ?? new Map<string, SharedSelector>();
    this.#selectors.set(form, sameForm);
    const selector = sameForm.get(key) ?? new SharedSelector(makeFilter(), form);
    sameForm.set(key, selector);
    selector.users += 1;
    const release = () => {
      selector.users -= 1;
      if (selector.users === 0) sameForm.delete(key);
    };
    return { selector, release };
  }
}

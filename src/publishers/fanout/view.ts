import type { Batch } from "./batch.ts";
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
export class View {
  readonly #filter: EventFilter;
  readonly #form: Form;

  constructor(filter: EventFilter, form: Form) {
    this.#filter = filter;
    this.#form = form;
  }

  /** At most `limit` events of `batch` after the sequence `after`. */
  select(batch: Batch, after: number, limit: number): Selection {
    const { entries } = batch;
    const chunks: Buffer[] = [];
    let position = Math.max(0, after - batch.after.sequence);
    let runBegins = position;
    let reached = Math.max(after, batch.after.sequence);
    let events = 0;
    const endRun = () => {
      if (position > runBegins) chunks.push(batch.frames(this.#form, runBegins, position));
    };
    for (; position < entries.length && events < limit; position += 1) {
      const entry = entries[position];
      if (entry === undefined) break;
      reached = entry.sequence;
      if (this.#filter(entry)) events += 1;
      else {
        endRun();
        runBegins = position + 1;
      }
    }
    endRun();
    return { chunks, events, reached };
  }
}

/**
 * The view of those who asked for the same and may see the same. They come one after the other for the same batch,
 * so where there are several the last answer is remembered.
 */
class SharedView extends View {
  users = 0;
  #last: { readonly batch: Batch; readonly selection: Selection } | undefined;

  override select(batch: Batch, after: number, limit: number): Selection {
    const isPart = after > batch.after.sequence || limit < batch.entries.length;
    if (this.users === 1 || isPart) return super.select(batch, after, limit);
    if (this.#last?.batch !== batch) {
      this.#last = { batch, selection: super.select(batch, batch.after.sequence, limit) };
    }
    return this.#last.selection;
  }
}

/** One view for all who have the same key and form, for as long as one of them is there. */
export class SharedViews {
  readonly #views = new Map<Form, Map<string, SharedView>>();

  /** Call `release` once when the subscriber is gone. */
  share(key: string, form: Form, makeFilter: () => EventFilter): { view: View; release: () => void } {
    const sameForm = this.#views.get(form) ?? new Map<string, SharedView>();
    this.#views.set(form, sameForm);
    const view = sameForm.get(key) ?? new SharedView(makeFilter(), form);
    sameForm.set(key, view);
    view.users += 1;
    const release = () => {
      view.users -= 1;
      if (view.users === 0) sameForm.delete(key);
    };
    return { view, release };
  }
}

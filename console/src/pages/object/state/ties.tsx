import { Subject } from "../../../ui/subject.tsx";
import type { Tie } from "../related.ts";
import css from "./state.module.css";

interface TiesProps {
  /** As they were at the moment that is shown; undefined: that is not known. */
  readonly ties: readonly Tie[] | undefined;
  readonly isPast: boolean;
}

/** Other objects that have to do with this one. */
export function Ties({ ties, isPast }: TiesProps) {
  if (ties?.length === 0) return null;
  const title = isPast ? "Hung together with, then" : "Hangs together with";
  return (
    <section class={css.tied} aria-label={title}>
      <h3 class={css.whole}>{title}</h3>
      {ties === undefined ? (
        <p class="muted">Not known: what happened to others by then was not read, or is not kept.</p>
      ) : (
        <ul class={css.ties}>
          {ties.map(({ words, subject, name, state }) => (
            <li key={`${words} ${subject}`}>
              <span class="muted">{words}</span>
              <Subject subject={subject} name={name} />
              <span class="muted">{state}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

import { Empty, Panel } from "../../../ui/panel.tsx";
import { Subject } from "../../../ui/subject.tsx";
import type { Tie } from "../related.ts";
import css from "./state.module.css";

interface TiesPanelProps {
  /** As they were at the moment that is shown; undefined: that is not known. */
  readonly ties: readonly Tie[] | undefined;
  readonly isPast: boolean;
}

/** Other objects that have to do with this one. */
export function TiesPanel({ ties, isPast }: TiesPanelProps) {
  if (ties?.length === 0) return null;
  return (
    <Panel title={isPast ? "Hung together with" : "Hangs together with"} aside={isPast ? "then" : undefined}>
      {ties === undefined && (
        <Empty title="Not known">
          How others were then was not read: it is longer ago than their events here.
        </Empty>
      )}
      {ties !== undefined && (
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
    </Panel>
  );
}

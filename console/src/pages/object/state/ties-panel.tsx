import { Panel } from "../../../ui/panel.tsx";
import { Subject } from "../../../ui/subject.tsx";
import type { Tie } from "../related.ts";
import css from "./state.module.css";

/** Other objects that have to do with this one, as they are now. */
export function TiesPanel({ ties }: { ties: readonly Tie[] }) {
  if (ties.length === 0) return null;
  return (
    <Panel title="Hangs together with">
      <ul class={css.ties}>
        {ties.map(({ words, subject, name, state }) => (
          <li key={`${words} ${subject}`}>
            <span class="muted">{words}</span>
            <Subject subject={subject} name={name} />
            <span class="muted">{state}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

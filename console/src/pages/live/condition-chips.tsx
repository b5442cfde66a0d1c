import { asOf, queryValue, setQuery } from "../../app/router.ts";
import { Button } from "../../ui/button.tsx";
import { Chip } from "../../ui/chip.tsx";
import { timeOfDay } from "../../words/time.ts";
import { conditionsOf } from "./conditions.ts";
import css from "./filter-bar.module.css";
import { SELECTION, type Selection } from "./selection.ts";

/** What narrows the events that are shown: each can be taken away. */
export function ConditionChips({ selection }: { selection: Selection }) {
  const conditions = conditionsOf(selection);
  const from = queryValue("from");
  const to = queryValue("to");
  const hasTime = from !== "" || to !== "";
  if (conditions.length === 0 && !hasTime) return null;
  const clear = () =>
    setQuery(
      { ...Object.fromEntries(SELECTION.map((name) => [name, null])), from: null, to: null },
      { replace: false },
    );
  return (
    <div class={css.chips} role="group" aria-label="What is shown">
      {hasTime && (
        <Chip
          tone="past"
          removeLabel="Any time"
          onRemove={() => setQuery({ from: null, to: null }, { replace: false })}
        >
          {stretchWords(from, to)}
        </Chip>
      )}
      {conditions.map(({ key, label, value, without }) => (
        <Chip
          key={key}
          tone="accent"
          removeLabel={`Not only ${label.toLowerCase()} ${value}`}
          onRemove={() => setQuery(without, { replace: false })}
        >
          <span>{label}</span> {value}
        </Chip>
      ))}
      <Button kind="bare" onClick={clear}>
        Show everything
      </Button>
      {hasTime && asOf.value === "" && to !== "" && (
        <Button icon="live" onClick={() => setQuery({ from: null, to: null }, { replace: false })}>
          Back to live
        </Button>
      )}
    </div>
  );
}

function stretchWords(from: string, to: string): string {
  const words = (text: string) =>
    Number.isNaN(Date.parse(text)) ? text : timeOfDay(Date.parse(text), Date.now());
  if (to === "") return `since ${words(from)}`;
  return from === "" ? `until ${words(to)}` : `${words(from)} – ${words(to)}`;
}

import { asOf, setQuery } from "../../app/router.ts";
import { EventLine } from "../../ui/event-line.tsx";
import { Notice } from "../../ui/panel.tsx";
import { count } from "../../words/names.ts";
import css from "./object.module.css";
import type { ObjectRecord } from "./use-object.ts";

/** Every event of the object, newest first; choosing one shows how it was after it. */
export function HistoryList({ record, at }: { record: ObjectRecord; at: number }) {
  const { versions, isCut, floor } = record;
  return (
    <section aria-label="History" class={css.history}>
      <ol>
        {versions.toReversed().map(({ facts }, index) => (
          <li key={facts.cursor} class={css.historyLine}>
            <EventLine
              event={facts}
              time="precise"
              without={["subject", "namespace"]}
              isSelected={asOf.value !== "" && versions.length - 1 - index === at}
              onOpen={() => setQuery({ at: facts.cursor })}
            />
          </li>
        ))}
      </ol>
      {isCut ? (
        <Notice>
          These are the newest {count(versions.length, "event")}; there are older ones that are not shown.
        </Notice>
      ) : (
        <p class={css.end}>
          {versions.length === 0 ? "No event of it has been recorded. " : "That is all of it. "}
          The feed keeps events after <code>{floor}</code>.
        </p>
      )}
    </section>
  );
}

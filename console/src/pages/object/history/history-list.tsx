import { useState } from "preact/hooks";
import { setQuery } from "../../../app/router.ts";
import { Button } from "../../../ui/button.tsx";
import { EventLine } from "../../../ui/event-line.tsx";
import { count } from "../../../words/names.ts";
import type { ObjectRecord } from "../use-object.ts";
import type { Version } from "../versions.ts";
import { ChangeLines } from "./change-lines.tsx";
import { HistoryEnd } from "./history-end.tsx";
import css from "./history.module.css";

const AT_FIRST = 200;

interface HistoryListProps {
  readonly record: ObjectRecord;
  /** Cursor of the event whose outcome is shown; "": that of now. */
  readonly shown: string;
}

/** Every event of the object with what it changed, newest first; choosing one shows how it was after it. */
export function HistoryList({ record, shown }: HistoryListProps) {
  const [most, setMost] = useState(AT_FIRST);
  const newestFirst = record.versions.toReversed();
  const rest = newestFirst.length - most;
  return (
    <section aria-label="History" class={css.history}>
      <ol>
        {newestFirst.slice(0, most).map((version) => (
          <HistoryLine
            key={version.facts.cursor}
            version={version}
            isShown={version.facts.cursor === shown}
          />
        ))}
      </ol>
      {rest > 0 && <Button onClick={() => setMost(most * 2)}>{count(rest, "older event")}</Button>}
      <HistoryEnd record={record} />
    </section>
  );
}

function HistoryLine({ version, isShown }: { version: Version; isShown: boolean }) {
  const { facts } = version;
  return (
    <li>
      <div class={css.line}>
        <EventLine
          event={facts}
          time="precise"
          without={["subject", "namespace"]}
          isSelected={isShown}
          onOpen={() => setQuery({ at: facts.cursor })}
        />
      </div>
      <ChangeLines version={version} />
    </li>
  );
}

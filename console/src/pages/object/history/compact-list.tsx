import { setQuery } from "../../../app/router.ts";
import { SeverityBadge } from "../../../ui/severity.tsx";
import { Time } from "../../../ui/time.tsx";
import { duration } from "../../../words/time.ts";
import type { ObjectRecord } from "../use-object.ts";
import { groupsAround, type Group } from "./groups.ts";
import { HistoryEnd } from "./history-end.tsx";
import css from "./history.module.css";

interface CompactListProps {
  readonly record: ObjectRecord;
  /** Cursor of the event whose outcome is shown; "": that of now. */
  readonly shown: string;
}

/** The object's history in few lines, newest first: what repeats is told once, what tells nothing is quiet. */
export function CompactList({ record, shown }: CompactListProps) {
  const at = record.versions.findLastIndex(({ facts }) => facts.cursor === shown);
  const { before, later } = groupsAround(record.versions, at);
  return (
    <section aria-label="History, compact" class={css.compact}>
      <ol>
        {later.toReversed().map((group) => (
          <GroupLine key={group.versions[0].facts.cursor} group={group} shown={shown} isLater={true} />
        ))}
        {before.toReversed().map((group) => (
          <GroupLine key={group.versions[0].facts.cursor} group={group} shown={shown} isLater={false} />
        ))}
      </ol>
      <HistoryEnd record={record} />
    </section>
  );
}

interface GroupLineProps {
  readonly group: Group;
  readonly shown: string;
  /** It had not happened at the moment that is shown. */
  readonly isLater: boolean;
}

function GroupLine({ group, shown, isLater }: GroupLineProps) {
  const { versions, what, detail, isQuiet } = group;
  const [first] = versions;
  const last = versions.at(-1) ?? first;
  const lengthMs = last.facts.timeMs - first.facts.timeMs;
  const isShown = versions.some(({ facts }) => facts.cursor === shown);
  return (
    <li
      data-quiet={isQuiet ? "" : undefined}
      data-shown={isShown ? "" : undefined}
      data-later={isLater ? "" : undefined}
    >
      <button
        type="button"
        class={css.group}
        onClick={() => setQuery({ at: last.facts.cursor })}
        title="Show the object as it was then"
      >
        <Time at={last.facts.time} as="clock" />
        <SeverityBadge severity={last.facts.severity} />
        {isLater && <span class="visually-hidden">later: </span>}
        <strong>
          {what}
          {versions.length > 1 && <span class={css.times}> × {versions.length}</span>}
        </strong>
        <span class={css.detail}>
          {versions.length > 1 ? `within ${duration(lengthMs)}, last ` : ""}
          {detail}
        </span>
      </button>
    </li>
  );
}

import { useState } from "preact/hooks";
import { now } from "../../app/clock.ts";
import type { EventFacts } from "../../feed/event-facts.ts";
import { EventLine, type OnValue } from "../../ui/event-line.tsx";
import { Icon } from "../../ui/icon.tsx";
import { SeverityBadge } from "../../ui/severity.tsx";
import { Time } from "../../ui/time.tsx";
import { count } from "../../words/names.ts";
import { isMark } from "./event-window.ts";
import { groupsOf, type EventGroup } from "./groups.ts";
import css from "./group-list.module.css";
import type { Live } from "./use-live-feed.ts";

interface GroupListProps {
  readonly live: Live;
  readonly onOpen: (event: EventFacts) => void;
  readonly onValue: OnValue;
}

/** So many of the newest are put together. */
const GROUPED = 2000;
const SHOWN = 50;

/** The newest events, put together by what caused them, with the rule that did. Made anew each second. */
export function GroupList({ live, onOpen, onValue }: GroupListProps) {
  void now.value;
  const [opened, open] = useState<string>();
  const events = newestOf(live);
  const groups = groupsOf(events);
  return (
    <div class={css.groups} tabIndex={0} role="group" aria-label="Events by cause">
      <p class={css.note}>
        {count(events.length, "event")} in {count(groups.length, "group")}: the same event of the same job, or
        of the same object
      </p>
      <ul>
        {groups.map((group) => (
          <li key={group.key}>
            <GroupLine
              group={group}
              isOpen={group.key === opened}
              onToggle={() => open(group.key === opened ? undefined : group.key)}
            />
            {group.key === opened && (
              <ul class={css.members}>
                {group.events.slice(0, SHOWN).map((event) => (
                  <li key={event.cursor}>
                    <EventLine event={event} onOpen={onOpen} onValue={onValue} />
                  </li>
                ))}
                {group.events.length > SHOWN && (
                  <li class={css.note}>and {count(group.events.length - SHOWN, "older event")}</li>
                )}
              </ul>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function GroupLine({
  group,
  isOpen,
  onToggle,
}: {
  group: EventGroup;
  isOpen: boolean;
  onToggle: () => void;
}) {
  const { events, what, rule, severity } = group;
  const [newest] = events;
  return (
    <button
      type="button"
      class={css.group}
      data-severity={severity}
      aria-expanded={isOpen}
      onClick={onToggle}
    >
      <Icon name={isOpen ? "down" : "right"} size={12} />
      <span class={css.count}>{events.length.toLocaleString("en")} ×</span>
      <SeverityBadge severity={severity} />
      <span class={css.what}>{what}</span>
      <span class={css.rule}>{rule}</span>
      {newest !== undefined && (
        <span class={css.when}>
          last <Time at={newest.time} as="clock" />
        </span>
      )}
    </button>
  );
}

function newestOf({ feed: { window: rows } }: Live): EventFacts[] {
  const events: EventFacts[] = [];
  for (let index = 0; index < rows.count && events.length < GROUPED; index += 1) {
    const row = rows.at(index);
    if (row !== undefined && !isMark(row)) events.push(row);
  }
  return events;
}

import { eventHref } from "../app/router.ts";
import type { EventFacts } from "../feed/event-facts.ts";
import { Chip } from "./chip.tsx";
import css from "./event-line.module.css";
import { SeverityBadge } from "./severity.tsx";
import { Subject } from "./subject.tsx";
import { Time } from "./time.tsx";

export const EVENT_LINE_PX = 32;

interface EventLineProps {
  readonly event: EventFacts;
  readonly isSelected?: boolean;
  readonly onOpen?: (event: EventFacts) => void;
  /** Leaves out what all lines around it have in common. */
  readonly without?: readonly ("namespace" | "subject")[];
  readonly time?: "age" | "clock" | "precise";
}

/** One event in one line: when, how bad, what, which object, what changed. */
export function EventLine({
  event,
  isSelected = false,
  onOpen,
  without = [],
  time = "clock",
}: EventLineProps) {
  const { severity, what, detail, signals, subject, name, namespace, resource } = event;
  const open = (click: MouseEvent) => {
    if (onOpen === undefined || click.ctrlKey || click.metaKey) return;
    // A link to an object inside the line leads there.
    if (click.target instanceof Element && click.target.closest("a, button") !== null) return;
    onOpen(event);
  };
  return (
    <div class={css.line} data-severity={severity} data-selected={isSelected ? "" : undefined} onClick={open}>
      <a class={css.time} href={eventHref(event.cursor)} aria-label={`Event ${event.cursor}`}>
        <Time at={event.time} as={time} />
      </a>
      <SeverityBadge severity={severity} />
      <span class={css.what}>{what}</span>
      {!without.includes("subject") && (
        <span class={css.subject}>
          {resource === "feed" ? subject : <Subject subject={subject} name={name} />}
        </span>
      )}
      {!without.includes("namespace") && (
        <span class={css.namespace}>{namespace === "-" ? "" : namespace}</span>
      )}
      <span class={css.detail} title={detail}>
        {detail}
      </span>
      <span class={css.signals}>
        {signals.slice(1, 3).map((signal) => (
          <Chip key={signal}>{signal.slice(signal.indexOf(".") + 1).replaceAll("_", " ")}</Chip>
        ))}
      </span>
    </div>
  );
}

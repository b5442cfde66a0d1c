import type { ComponentChildren } from "preact";
import { eventHref } from "../app/router.ts";
import type { EventFacts } from "../feed/event-facts.ts";
import { shortName } from "../words/names.ts";
import { signalWords } from "../words/summary.ts";
import { Chip } from "./chip.tsx";
import {
  EVENT_COLUMNS,
  tracksOf,
  USUAL_COLUMNS,
  type Density,
  type EventColumn,
  type Field,
} from "./event-columns.ts";
import css from "./event-line.module.css";
import { SeverityBadge } from "./severity.tsx";
import { Subject } from "./subject.tsx";
import { Time } from "./time.tsx";

/** Somebody points at a value of an event: at which, and where it stands. */
export type OnValue = (event: EventFacts, field: Field, value: string, at: HTMLElement) => void;

interface EventLineProps {
  readonly event: EventFacts;
  readonly isSelected?: boolean;
  readonly onOpen?: (event: EventFacts) => void;
  /** Leaves out what all lines around it have in common. */
  readonly without?: readonly ("namespace" | "subject")[];
  readonly time?: "age" | "clock" | "precise";
  readonly columns?: readonly EventColumn[];
  readonly density?: Density;
  /** Makes values that others may share buttons. */
  readonly onValue?: OnValue;
}

/** One event in one line: when, how bad, what, which object, what changed. On a phone in two. */
export function EventLine({
  event,
  isSelected = false,
  onOpen,
  without = [],
  time = "clock",
  columns = USUAL_COLUMNS,
  density = "normal",
  onValue,
}: EventLineProps) {
  const shown = columns.filter((id) => !without.includes(id === "object" ? "subject" : (id as "namespace")));
  const onClick = (click: MouseEvent) => {
    if (!(click.target instanceof HTMLElement)) return;
    const value = click.target.closest<HTMLElement>("[data-field]");
    if (value !== null)
      return onValue?.(event, value.dataset["field"] as Field, value.dataset["value"] ?? "", value);
    // A link inside the line leads where it says; the line itself opens the event.
    if (onOpen === undefined || click.target.closest(`a:not(.${css.time}), button`) !== null)
      return undefined;
    if (click.ctrlKey || click.metaKey) return void window.open(eventHref(event.cursor), "_blank");
    if (click.shiftKey) return undefined;
    click.preventDefault();
    return onOpen(event);
  };
  return (
    <div
      class={css.line}
      data-severity={event.severity}
      data-density={density}
      data-selected={isSelected ? "" : undefined}
      style={{ "--tracks": tracksOf(shown, density, time) }}
      onClick={onClick}
    >
      {EVENT_COLUMNS.map(
        ({ id }) =>
          shown.includes(id) && (
            <Cell key={id} id={id} event={event} time={time} canAsk={onValue !== undefined} />
          ),
      )}
    </div>
  );
}

/** What the columns are called. */
export function EventLineHeader({
  columns = USUAL_COLUMNS,
  density = "normal",
}: {
  columns?: readonly EventColumn[];
  density?: Density;
}) {
  const shown = density === "detailed" ? columns.filter((id) => id !== "detail") : columns;
  return (
    <div class={css.header} style={{ "--tracks": tracksOf(columns, density) }} aria-hidden="true">
      {EVENT_COLUMNS.map(({ id, label }) => shown.includes(id) && <span key={id}>{label}</span>)}
    </div>
  );
}

interface CellProps {
  readonly id: EventColumn;
  readonly event: EventFacts;
  readonly time: "age" | "clock" | "precise";
  readonly canAsk: boolean;
}

function Cell({ id, event, time, canAsk }: CellProps) {
  const { severity, what, detail, signals, subject, name, resource } = event;
  const value = (field: Field, text: string, shown: ComponentChildren = text) =>
    canAsk && text !== "" ? (
      <button type="button" class={css.value} data-field={field} data-value={text} tabIndex={-1}>
        {shown}
      </button>
    ) : (
      shown
    );
  switch (id) {
    case "time":
      return (
        <a class={css.time} href={eventHref(event.cursor)}>
          <span class="visually-hidden">Event {event.cursor} </span>
          <Time at={event.time} as={time} />
        </a>
      );
    case "severity":
      return (
        <span class={css.severity}>{value("severity", severity, <SeverityBadge severity={severity} />)}</span>
      );
    case "what":
      return <span class={css.what}>{what}</span>;
    case "object":
      return (
        <span class={css.subject}>
          {resource === "feed" ? subject : <Subject subject={subject} name={name} />}
        </span>
      );
    case "namespace":
      return (
        <span class={css.namespace}>
          {event.namespace === "-" ? "" : value("namespace", event.namespace)}
        </span>
      );
    case "job":
    case "node":
      return <span class={css.plain}>{value(id, event[id], shortName(event[id]))}</span>;
    case "op":
    case "aspect":
      return <span class={css.plain}>{value(id, event[id])}</span>;
    case "detail":
      return (
        <span class={css.detail} title={detail}>
          {detail}
        </span>
      );
    case "signals":
      return (
        <span class={css.signals}>
          {signals.slice(1, 3).map((signal) => (
            <Chip key={signal}>{value("signal", signal, signalWords(signal))}</Chip>
          ))}
        </span>
      );
    case "cursor":
      return <span class={`${css.plain} mono`}>{event.cursor}</span>;
    default:
      return id satisfies never;
  }
}

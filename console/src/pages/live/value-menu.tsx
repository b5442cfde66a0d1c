import { useEffect, useRef, useState } from "preact/hooks";
import { objectHref, setQuery } from "../../app/router.ts";
import { api } from "../../feed/api.ts";
import type { EventFacts } from "../../feed/event-facts.ts";
import { useLoaded } from "../../feed/use-loaded.ts";
import { FIELDS, valuesOf, type Field } from "../../ui/event-columns.ts";
import { count } from "../../words/names.ts";
import { COUNTABLE, labelOf, onlyWith, shownValue, without } from "./conditions.ts";
import { queryOf, type Selection } from "./selection.ts";
import { spanOf } from "./span.ts";
import css from "./value-menu.module.css";

/** What somebody points at: a value of an event, or an event, whose values are offered then. */
export interface Pointed {
  readonly event: EventFacts;
  readonly field?: Field;
  readonly value?: string;
  /** Where the menu belongs, px in the window. */
  readonly x: number;
  readonly y: number;
}

interface ValueMenuProps {
  readonly pointed: Pointed;
  readonly selection: Selection;
  readonly onClose: () => void;
}

/** Filters by a value: only it, without it, how many have it and its like. */
export function ValueMenu({ pointed, selection, onClose }: ValueMenuProps) {
  const { event, x, y } = pointed;
  const [field, setField] = useState(pointed.field);
  const value = pointed.value ?? (field === undefined ? undefined : valuesOf(event, field)[0]);
  const menu = useRef<HTMLDivElement>(null);
  useClosing(menu, onClose, field);
  return (
    <div
      ref={menu}
      class={css.menu}
      role="dialog"
      aria-label={field === undefined ? "Filter by a value of the event" : `${labelOf(field)} ${value ?? ""}`}
      style={{
        left: `${Math.min(x, innerWidth - 280)}px`,
        top: `${Math.max(8, Math.min(y, innerHeight - 320))}px`,
      }}
    >
      {field === undefined || value === undefined ? (
        <Fields event={event} onChoose={setField} />
      ) : (
        <Choices field={field} value={value} selection={selection} event={event} onClose={onClose} />
      )}
    </div>
  );
}

function Fields({ event, onChoose }: { event: EventFacts; onChoose: (field: Field) => void }) {
  const fields = FIELDS.filter((field) => valuesOf(event, field).length > 0);
  return (
    <>
      {fields.map((field) => (
        <button key={field} type="button" class={css.choice} onClick={() => onChoose(field)}>
          <span class="muted">{labelOf(field)}</span> {shownValue(field, valuesOf(event, field)[0] ?? "")}
        </button>
      ))}
    </>
  );
}

interface ChoicesProps {
  readonly field: Field;
  readonly value: string;
  readonly selection: Selection;
  readonly event: EventFacts;
  readonly onClose: () => void;
}

function Choices({ field, value, selection, event, onClose }: ChoicesProps) {
  const [isCounting, setCounting] = useState(false);
  const change = (changes: ReturnType<typeof onlyWith>) => {
    onClose();
    setQuery(changes, { replace: false });
  };
  return (
    <>
      <p class={css.title}>
        <span class="muted">{labelOf(field)}</span> {shownValue(field, value)}
      </p>
      <button type="button" class={css.choice} onClick={() => change(onlyWith(selection, field, value))}>
        Only {shownValue(field, value)}
      </button>
      <button type="button" class={css.choice} onClick={() => change(without(selection, field, value))}>
        Not {shownValue(field, value)}
      </button>
      {field === "severity" && (
        <button type="button" class={css.choice} onClick={() => change({ minSeverity: value })}>
          At least {value}
        </button>
      )}
      {COUNTABLE.includes(field) && !isCounting && (
        <button type="button" class={css.choice} onClick={() => setCounting(true)}>
          Count by {labelOf(field).toLowerCase()}
        </button>
      )}
      {isCounting && (
        <CountBy
          field={field}
          selection={selection}
          onOnly={(one) => change(onlyWith(selection, field, one))}
        />
      )}
      {field === "subject" && (
        <a class={css.choice} href={objectHref(event.subject)}>
          Go to its page
        </a>
      )}
    </>
  );
}

function CountBy({
  field,
  selection,
  onOnly,
}: {
  field: Field;
  selection: Selection;
  onOnly: (value: string) => void;
}) {
  const query = { ...queryOf(selection), ...spanOf(), by: field as "type", buckets: 1 };
  const { value, error } = useLoaded(JSON.stringify(query), (gone) => api(gone).counts(query));
  if (error !== undefined)
    return <p class={css.title}>They could not be counted: {error instanceof Error ? error.message : ""}</p>;
  if (value === undefined) return <p class={css.title}>Counting…</p>;
  const values = value.values ?? severitiesIn(value.buckets);
  const most = Math.max(1, ...values.map((one) => one.count));
  return (
    <>
      <p class={css.title}>{count(value.total, "event")} in that time</p>
      <ol class={css.counts} aria-label={`Events by ${labelOf(field)}`}>
        {values.map((one) => (
          <li key={one.value}>
            <button
              type="button"
              class={css.count}
              style={{ "--share": `${(one.count / most) * 100}%` }}
              onClick={() => onOnly(one.value)}
            >
              <span>{one.value === "" ? "none" : shownValue(field, one.value)}</span>
              <span>{one.count.toLocaleString("en")}</span>
            </button>
          </li>
        ))}
      </ol>
    </>
  );
}

function severitiesIn(
  buckets: readonly { readonly severities: Readonly<Partial<Record<string, number>>> }[],
) {
  const sums = new Map<string, number>();
  for (const { severities } of buckets) {
    for (const [severity, number = 0] of Object.entries(severities))
      sums.set(severity, (sums.get(severity) ?? 0) + number);
  }
  return [...sums].map(([value, number]) => ({ value, count: number })).toSorted((a, b) => b.count - a.count);
}

function useClosing(
  menu: { readonly current: HTMLElement | null },
  onClose: () => void,
  field: unknown,
): void {
  useEffect(() => {
    menu.current?.querySelector<HTMLElement>("button, a")?.focus();
  }, [field]);
  useEffect(() => {
    const before = document.activeElement;
    const onPointer = ({ target }: PointerEvent) => {
      if (target instanceof Node && menu.current?.contains(target) === false) onClose();
    };
    const onKey = (event: KeyboardEvent) => {
      const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
      if (event.key === "Escape") onClose();
      else if (step !== undefined) focusNext(menu.current, step);
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    addEventListener("pointerdown", onPointer, true);
    addEventListener("keydown", onKey, true);
    return () => {
      removeEventListener("pointerdown", onPointer, true);
      removeEventListener("keydown", onKey, true);
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, []);
}

function focusNext(menu: HTMLElement | null, step: number): void {
  const all = [...(menu?.querySelectorAll<HTMLElement>("button, a") ?? [])];
  const at = all.findIndex((element) => element === document.activeElement);
  all[(at + step + all.length) % all.length]?.focus();
}

import { useState } from "preact/hooks";
import type { CountsQuery } from "nomad-changefeed-client";
import { setQuery } from "../../app/router.ts";
import { api } from "../../feed/api.ts";
import { useLoaded } from "../../feed/use-loaded.ts";
import type { Field } from "../../ui/event-columns.ts";
import { SEVERITIES } from "../../words/severity.ts";
import { COUNTABLE, isWanted, labelOf, shownValue, toggled } from "./conditions.ts";
import css from "./filter-bar.module.css";
import { queryOf, type Selection } from "./selection.ts";
import type { Span } from "./span.ts";

interface FacetMenuProps {
  readonly selection: Selection;
  /** In which time values are counted. */
  readonly span: Span;
  /** Values seen among the events that are shown, for a bridge that cannot count. */
  readonly seen: (field: Field) => ReadonlyMap<string, number>;
  readonly first?: Field;
}

/** Values that exist, with how many events have them: a click chooses. */
export function FacetMenu({ selection, span, seen, first = "type" }: FacetMenuProps) {
  const [field, setField] = useState<Field>(first);
  const [text, setText] = useState("");
  return (
    <div class={css.facets}>
      <div class={css.fields} role="group" aria-label="Filter by">
        {COUNTABLE.map((name) => (
          <button key={name} type="button" aria-pressed={name === field} onClick={() => setField(name)}>
            {labelOf(name)}
          </button>
        ))}
      </div>
      <div class={css.values}>
        <input
          type="search"
          aria-label={`Values of ${labelOf(field)}`}
          placeholder="Find a value"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        {field === "severity" ? (
          <Severities selection={selection} />
        ) : (
          <Values field={field} text={text} selection={selection} span={span} seen={seen} />
        )}
      </div>
    </div>
  );
}

function Severities({ selection }: { selection: Selection }) {
  return (
    <ul>
      {SEVERITIES.map((severity) => (
        <li key={severity}>
          <button
            type="button"
            class={css.facet}
            aria-pressed={selection.minSeverity === severity}
            onClick={() => setQuery({ minSeverity: selection.minSeverity === severity ? null : severity })}
          >
            <span>At least {severity}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Values({
  field,
  text,
  selection,
  span,
  seen,
}: Required<Omit<FacetMenuProps, "first">> & { field: Field; text: string }) {
  const query = {
    ...queryOf(withoutField(selection, field)),
    by: field as CountsQuery["by"] & string,
    ...span,
    buckets: 1,
  };
  const { value: counted, error } = useLoaded(JSON.stringify(query), (gone) => api(gone).counts(query));
  const values =
    counted?.values?.map(({ value, count }) => [value, count] as const) ??
    (error === undefined ? [] : [...seen(field)]);
  const shown = values.filter(([value]) => value !== "" && value.toLowerCase().includes(text.toLowerCase()));
  const most = Math.max(1, ...shown.map(([, count]) => count));
  return (
    <ul aria-busy={counted === undefined && error === undefined}>
      {shown.map(([value, count]) => (
        <li key={value}>
          <button
            type="button"
            class={css.facet}
            aria-pressed={isWanted(selection, field, value)}
            style={{ "--share": `${(count / most) * 100}%` }}
            onClick={() => setQuery(toggled(selection, field, value))}
          >
            <span>{shownValue(field, value)}</span>
            <span class={css.count}>{count.toLocaleString("en")}</span>
          </button>
        </li>
      ))}
      {shown.length === 0 && counted !== undefined && <li class={css.none}>No event has such a value</li>}
    </ul>
  );
}

/** Alternatives of the field itself are offered too. */
function withoutField(selection: Selection, field: Field): Selection {
  const lists: Partial<Record<Field, keyof Selection>> = {
    type: "types",
    namespace: "namespaces",
    job: "jobs",
    node: "nodes",
    signal: "signals",
    op: "ops",
    aspect: "aspects",
  };
  const list = lists[field];
  return list === undefined ? selection : { ...selection, [list]: [] };
}

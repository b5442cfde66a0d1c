import { go, href, objectHref, queryValue, route, setQuery } from "../../app/router.ts";
import { Icon } from "../../ui/icon.tsx";
import { JsonTree } from "../../ui/json-tree.tsx";
import { rawNumber, scalarText } from "../../words/exact-json.ts";
import { equalsTerm } from "../../words/filter-terms.ts";
import { subjectAt } from "../../words/references.ts";
import { andFilter } from "../live/selection.ts";
import css from "./changes.module.css";
import type { OpenEvent } from "./read-event.ts";
import { taskEventWords } from "../../words/task-events.ts";
import { NanosTime } from "../../ui/nanos-time.tsx";

interface ChangeValueProps {
  /** Undefined: it was not there. */
  readonly value: unknown;
  readonly path: string;
  readonly open: OpenEvent;
}

/** One side of a change. What it names leads there; what it is leads to all events that have it. */
export function ChangeValue({ value, path, open: { facts } }: ChangeValueProps) {
  if (value === undefined) return <span class={css.absent}>not there</span>;
  const text = scalarText(value);
  if (text === undefined) return <Structure value={value} namespace={facts.namespace} path={path} />;
  const subject = subjectAt(path, value, facts.namespace);
  const isText = typeof value === "string";
  const shown = isText && text === "" ? "“”" : text;
  return (
    <span class={css.scalar} data-kind={isText ? "text" : value === null ? "null" : "other"}>
      {subject === undefined ? shown : <a href={objectHref(subject)}>{shown}</a>}
      <NanosTime digits={rawNumber(value) ?? ""} />
      <FilterButton value={value} path={path} resource={facts.resource} shown={shown} />
    </span>
  );
}

function Structure({ value, namespace, path }: { value: unknown; namespace: string; path: string }) {
  const words = taskEventWords(value);
  return (
    <details class={css.structure} open={words === undefined}>
      <summary>{words ?? (Array.isArray(value) ? `a list of ${value.length}` : "an object")}</summary>
      <JsonTree
        value={value}
        subjectOf={(pointer, inner) => subjectAt(`${path}${pointer}`, inner, namespace)}
      />
    </details>
  );
}

interface FilterButtonProps {
  readonly value: unknown;
  readonly path: string;
  readonly resource: string;
  readonly shown: string;
}

function FilterButton({ value, path, resource, shown }: FilterButtonProps) {
  const term = equalsTerm(path, value);
  // Where an element stands in a list says little of others.
  if (term === undefined || /\/\d+(\/|$)/.test(path)) return null;
  const name = path.slice(path.lastIndexOf("/") + 1);
  return (
    <button
      type="button"
      class={css.filter}
      aria-label={`Only ${resource} with ${name} ${shown} in the live page`}
      title={`Only those with ${term}`}
      onClick={() => showOnly(resource, term)}
    >
      <Icon name="filter" size={12} />
    </button>
  );
}

/** On the live page as a further condition, from elsewhere as the only one. */
function showOnly(resource: string, term: string): void {
  if (route.value.path[0] === "live") setQuery({ filter: andFilter(queryValue("filter"), term) });
  else go(href(["live"], { types: resource, filter: term, at: null }));
}

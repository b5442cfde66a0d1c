import { useMemo, useState } from "preact/hooks";
import { api } from "../../feed/api.ts";
import { useLoaded } from "../../feed/use-loaded.ts";
import { valuesOf, type Field } from "../../ui/event-columns.ts";
import { isNarrow } from "../../ui/narrow.ts";
import { Popover } from "../../ui/popover.tsx";
import type { KnownValues } from "../../ui/filter/completion.ts";
import { isMark } from "./event-window.ts";
import { FacetMenu } from "./facet-menu.tsx";
import { FilterEditor } from "./filter-editor.tsx";
import { FilterInput } from "../../ui/filter/filter-input.tsx";
import type { LiveFeed } from "./live-feed.ts";
import type { Selection } from "./selection.ts";
import { spanOf } from "./span.ts";

interface FilterBarProps {
  readonly feed: LiveFeed;
  readonly selection: Selection;
  readonly onFacets: (open: () => void) => void;
}

/** How selectors are called among the fields whose values are known. */
const FIELD_OF: Readonly<Record<string, Field>> = {
  signals: "signal",
  "resource.job": "job",
  JobID: "job",
  "resource.node": "node",
  "resource.namespace": "namespace",
  Namespace: "namespace",
};
/** Rows that are looked through for values. */
const LOOKED_AT = 3000;

export function FilterBar({ feed, selection, onFacets }: FilterBarProps) {
  const [isAsked, ask] = useState(false);
  const [isEditing, setEditing] = useState(false);
  const counted = useCounted(isAsked);
  const known: KnownValues = useMemo(() => {
    return (selector) => {
      const field = FIELD_OF[selector];
      if (field === undefined) return [];
      return [...new Set([...(counted?.get(field) ?? []), ...seenIn(feed, field).keys()])];
    };
  }, [feed, counted]);
  return (
    <>
      <FilterInput
        value={selection.filter}
        known={known}
        example='ClientStatus == "failed" and resource.job == "web"'
        group="Live"
        onFocus={() => ask(true)}
        onEditor={() => {
          ask(true);
          setEditing(!isEditing);
        }}
      />
      <Popover
        label="Filters"
        icon="filter"
        iconOnly={isNarrow.value}
        hint="f"
        align="end"
        onReady={onFacets}
      >
        {() => <FacetMenu selection={selection} span={spanOf()} seen={(field) => seenIn(feed, field)} />}
      </Popover>
      {isEditing && <FilterEditor value={selection.filter} known={known} onClose={() => setEditing(false)} />}
    </>
  );
}

const COUNTED = ["job", "namespace", "signal", "node"] as const;

/** Values that events have had of late, asked for when somebody begins to write. */
function useCounted(isAsked: boolean): ReadonlyMap<Field, readonly string[]> | undefined {
  const { value } = useLoaded(isAsked ? "asked" : "", async (gone) => {
    if (!isAsked) return undefined;
    const all = await Promise.all(COUNTED.map((by) => api(gone).counts({ by, since: "1d", buckets: 1 })));
    return new Map<Field, readonly string[]>(
      COUNTED.map((field, at) => [
        field,
        (all[at]?.values ?? []).map(({ value: one }) => one).filter(Boolean),
      ]),
    );
  });
  return value;
}

function seenIn({ window: rows }: LiveFeed, field: Field): Map<string, number> {
  const seen = new Map<string, number>();
  for (let index = 0; index < Math.min(LOOKED_AT, rows.count); index += 1) {
    const row = rows.at(index);
    if (row === undefined || isMark(row)) continue;
    for (const value of valuesOf(row, field)) seen.set(value, (seen.get(value) ?? 0) + 1);
  }
  return new Map([...seen].toSorted(([, a], [, b]) => b - a));
}

import { useMemo, useState } from "preact/hooks";
import { JsonTree } from "../../ui/json-tree.tsx";
import { NanosTime } from "../../ui/nanos-time.tsx";
import { Empty } from "../../ui/panel.tsx";
import { SearchField } from "../../ui/search-field.tsx";
import { rawNumber } from "../../words/exact-json.ts";
import { subjectAt } from "../../words/references.ts";
import css from "./event.module.css";
import type { OpenEvent } from "./read-event.ts";

/** The whole object before and after, with what changed marked. */
export function ObjectTrees({ open }: { open: OpenEvent }) {
  const [search, setSearch] = useState("");
  const marked = useMemo(() => new Set(open.changes.map(({ path }) => path)), [open]);
  const sides = [
    { title: "Before", value: open.before },
    { title: "After", value: open.after },
  ].filter(({ value }) => value !== undefined);
  if (sides.length === 0) return <Empty title="The event has no object in it" />;
  return (
    <section aria-label="The whole object">
      <div class={css.treeTools}>
        <SearchField label="Search in the object" value={search} onInput={setSearch} />
      </div>
      <div class={css.trees}>
        {sides.map(({ title, value }) => (
          <section key={title} class={css.tree} aria-label={title}>
            <h2>{title}</h2>
            <JsonTree
              value={value}
              marked={marked}
              search={search}
              subjectOf={(pointer, inner) => subjectAt(pointer, inner, open.facts.namespace)}
              noteOf={(_pointer, inner) => <NanosTime digits={rawNumber(inner) ?? ""} />}
            />
          </section>
        ))}
      </div>
    </section>
  );
}

import { useMemo } from "preact/hooks";
import { asOf, objectHref, queryValue, setQuery } from "../../app/router.ts";
import { useLiveObjects, useSorted } from "../../feed/use-live-objects.ts";
import { Button } from "../../ui/button.tsx";
import { comparing, DataTable, type Sort } from "../../ui/data-table.tsx";
import { NamespaceSelect } from "../../ui/namespace-select.tsx";
import { Empty, Failure, Skeleton } from "../../ui/panel.tsx";
import { downloadCsv } from "./csv.ts";
import { FilterInput } from "./filter-input.tsx";
import type { BaseRow, Kind } from "./kinds/kind.ts";
import css from "./state.module.css";

/** The table of one kind, as the address says: `namespace`, `filter`, `sort`, `at`. */
export function KindTable({ kind }: { kind: Kind }) {
  const namespace = queryValue("namespace");
  const filter = queryValue("filter");
  const objects = useLiveObjects(
    {
      type: kind.type,
      ...(kind.isNamespaced && namespace !== "" && { namespaces: [namespace] }),
      ...(filter !== "" && { filter }),
      ...(asOf.value !== "" && { at: asOf.value }),
    },
    kind.rowOf,
  );
  const sort = sortOf(kind, queryValue("sort"));
  const compare = useMemo(() => comparingBy(kind, sort), [kind, sort.column, sort.isDescending]);
  const rows = useSorted(objects, compare);
  const { isWhole, error } = objects.status.value;
  const isRefused = error !== undefined && rows.length === 0;
  return (
    <>
      <div class={css.tools}>
        <FilterInput value={filter} example={kind.example} error={error} />
        {kind.isNamespaced && <NamespaceSelect value={namespace} />}
        <p class={css.count} role="status">
          {countWords(rows.length, kind.label.toLowerCase(), isWhole, error !== undefined)}
        </p>
        <Button
          icon="download"
          label="What is shown, as CSV"
          disabled={rows.length === 0}
          onClick={() => downloadCsv(kind, rows)}
        >
          CSV
        </Button>
      </div>
      {error !== undefined && <Failure error={error} retry={() => objects.restart()} />}
      <div class={css.table}>
        <DataTable
          label={kind.label}
          columns={kind.columns}
          rows={rows}
          sort={sort}
          onSort={(next) => setQuery({ sort: textOf(next, kind.sort) })}
          keyOf={keyOf}
          hrefOf={({ subject }) => objectHref(subject)}
          changedAtMs={(row) => objects.changedAtMs(row)}
          empty={
            isRefused ? null : isWhole ? (
              <None kind={kind} isFiltered={filter !== ""} />
            ) : (
              <Skeleton lines={12} />
            )
          }
        />
      </div>
    </>
  );
}

function None({ kind, isFiltered }: { kind: Kind; isFiltered: boolean }) {
  const noun = kind.label.toLowerCase();
  return isFiltered ? (
    <Empty title={`No ${noun} match the filter`}>
      It holds for the object as Nomad lists it, for example <code>{kind.example}</code>
    </Empty>
  ) : (
    <Empty title={`There are no ${noun}`}>
      {asOf.value === "" ? "Those that come show here at once." : "None were known then."}
    </Empty>
  );
}

const keyOf = ({ subject }: BaseRow) => subject;

function comparingBy(kind: Kind, { column, isDescending }: Sort) {
  const by = kind.columns.find(({ id }) => id === column) ?? kind.columns[0];
  if (by === undefined) throw new RangeError(`${kind.label} have no columns`);
  return comparing(by, isDescending, keyOf);
}

/** `name`, or `-name` from the last to the first. */
function sortOf({ columns, sort }: Kind, text: string): Sort {
  const column = text.replace(/^-/, "");
  return columns.some(({ id }) => id === column) ? { column, isDescending: text.startsWith("-") } : sort;
}

function textOf({ column, isDescending }: Sort, usual: Sort): string | null {
  if (column === usual.column && isDescending === usual.isDescending) return null;
  return `${isDescending ? "-" : ""}${column}`;
}

function countWords(shown: number, noun: string, isWhole: boolean, isBroken: boolean): string {
  const number = shown.toLocaleString("en");
  if (isWhole) return `${number} ${shown === 1 ? noun.slice(0, -1) : noun}`;
  return isBroken ? `${number} ${noun} of more` : `${number} ${noun} so far`;
}

import { RequestFailed } from "nomad-changefeed-client";
import { useMemo } from "preact/hooks";
import { asOf, href, objectHref, queryValue, setQuery } from "../../app/router.ts";
import { useLiveObjects, useSorted } from "../../feed/use-live-objects.ts";
import { Button } from "../../ui/button.tsx";
import { comparing, type Column, type Sort } from "../../ui/columns.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { NamespaceSelect } from "../../ui/namespace-select.tsx";
import { Empty, Failure, Skeleton } from "../../ui/panel.tsx";
import { downloadCsv } from "./csv.ts";
import { FilterInput } from "../../ui/filter/filter-input.tsx";
import { valuesIn } from "./known-values.ts";
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
  // A table stays of one kind as long as it is there.
  const columns = kind.useColumns?.(asOf.value) ?? kind.columns;
  const sort = sortOf(columns, queryValue("sort"), kind.sort);
  const by = columns.find(({ id }) => id === sort.column) ?? columns[0];
  const compare = useMemo(() => comparingBy(by, sort.isDescending), [by, sort.isDescending]);
  const rows = useSorted(objects, compare);
  const { isWhole, error } = objects.status.value;
  const known = useMemo(() => valuesIn(kind, objects), [kind, objects]);
  const isRefused = error !== undefined && rows.length === 0;
  return (
    <>
      <div class={css.tools}>
        <FilterInput value={filter} known={known} example={kind.example} group="Table" />
        {kind.isNamespaced && <NamespaceSelect value={namespace} />}
        <p class={css.count} role="status">
          {countWords(rows.length, kind.label.toLowerCase(), isWhole, error !== undefined)}
        </p>
        <Button
          icon="download"
          label="What is shown, as CSV"
          disabled={rows.length === 0}
          onClick={() => downloadCsv(kind.type, columns, rows)}
        >
          CSV
        </Button>
      </div>
      {error !== undefined && !isFilterError(error) && (
        <Failure error={error} retry={() => objects.restart()} />
      )}
      <div class={css.table}>
        <DataTable
          label={kind.label}
          columns={columns}
          rows={rows}
          sort={sort}
          onSort={(next) => setQuery({ sort: textOf(next, kind.sort) })}
          keyOf={keyOf}
          hrefOf={({ subject }) => objectHref(subject)}
          eventsHrefOf={({ subject }) => href(["live"], { subjects: subject })}
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

/** Said where the filter is. */
function isFilterError(error: unknown): boolean {
  return error instanceof RequestFailed && error.position !== undefined;
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

function comparingBy(column: Column<BaseRow> | undefined, isDescending: boolean) {
  return column === undefined ? () => 0 : comparing(column, isDescending, keyOf);
}

/** `name`, or `-name` from the last to the first. */
function sortOf(columns: readonly Column<BaseRow>[], text: string, usual: Sort): Sort {
  const column = text.replace(/^-/, "");
  return columns.some(({ id }) => id === column) ? { column, isDescending: text.startsWith("-") } : usual;
}

function textOf({ column, isDescending }: Sort, usual: Sort): string | null {
  if (column === usual.column && isDescending === usual.isDescending) return null;
  return `${isDescending ? "-" : ""}${column}`;
}

function countWords(shown: number, noun: string, isWhole: boolean, isBroken: boolean): string {
  const number = shown.toLocaleString("en");
  if (isWhole) return `${number} ${shown === 1 ? noun.slice(0, -1) : noun}`;
  if (!isBroken) return `${number} ${noun} so far`;
  return shown === 0 ? "" : `${number} ${noun}, not all`;
}

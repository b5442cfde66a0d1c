import { RequestFailed, type ResourceType } from "nomad-changefeed-client";
import { useMemo } from "preact/hooks";
import { asOf, href, objectHref, queryValue, setQuery } from "../../app/router.ts";
import { useLiveObjects, useSorted } from "../../feed/use-live-objects.ts";
import { Button } from "../../ui/button.tsx";
import { comparing, sortIn, sortText, type Column } from "../../ui/columns.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { NamespaceSelect } from "../../ui/namespace-select.tsx";
import { Empty, Failure, Skeleton } from "../../ui/panel.tsx";
import { downloadCsv } from "./csv.ts";
import { count, nounOf } from "../../words/names.ts";
import { FilterInput } from "../../ui/filter/filter-input.tsx";
import { valuesIn } from "./known-values.ts";
import type { BaseRow, Kind } from "./kinds/kind.ts";
import css from "./state.module.css";

/** The table of one kind, as the address says: `namespace`, `filter`, `sort`, `at`. */
export function KindTable<Row extends BaseRow, Type extends ResourceType>({
  kind,
}: {
  kind: Kind<Row, Type>;
}) {
  const namespace = queryValue("namespace");
  const filter = queryValue("filter");
  const objects = useLiveObjects(
    {
      type: kind.type,
      ...(kind.isNamespaced && namespace !== "" && { namespaces: [namespace] }),
      ...(filter !== "" && { filter }),
    },
    kind.rowOf,
  );
  // A table stays of one kind as long as it is there.
  const columns = kind.useColumns?.() ?? kind.columns;
  const sort = sortIn(queryValue("sort"), columns, kind.sort);
  const by = columns.find(({ id }) => id === sort.column) ?? columns[0];
  const compare = useMemo(() => comparingBy(by, sort.isDescending), [by, sort.isDescending]);
  const rows = useSorted(objects, compare);
  const { isWhole, error } = objects.status.value;
  const known = useMemo(() => valuesIn(kind, objects), [kind, objects]);
  const noun = kind.label.toLowerCase();
  const isRefused = error !== undefined && rows.length === 0;
  return (
    <>
      <div class={css.tools}>
        <FilterInput value={filter} known={known} example={kind.example} group="Table" />
        {kind.isNamespaced && <NamespaceSelect value={namespace} />}
        <p class={css.count} role="status">
          {countWords(rows.length, noun, isWhole, error !== undefined)}
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
          onSort={(next) => setQuery({ sort: sortText(next, kind.sort) })}
          keyOf={keyOf}
          hrefOf={({ subject }) => objectHref(subject)}
          eventsHrefOf={({ subject }) => href(["live"], { subjects: subject })}
          changedAtMs={(row) => objects.changedAtMs(row)}
          empty={
            isRefused ? null : isWhole ? (
              <None noun={noun} example={kind.example} isFiltered={filter !== ""} />
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

function None({ noun, example, isFiltered }: { noun: string; example: string; isFiltered: boolean }) {
  return isFiltered ? (
    <Empty title={`No ${noun} match the filter`}>
      It holds for the object as Nomad lists it, for example <code>{example}</code>
    </Empty>
  ) : (
    <Empty title={`There are no ${noun}`}>
      {asOf.value === "" ? "Those that come show here at once." : "None were known then."}
    </Empty>
  );
}

const keyOf = ({ subject }: BaseRow) => subject;

function comparingBy<Row extends BaseRow>(column: Column<Row> | undefined, isDescending: boolean) {
  return column === undefined ? () => 0 : comparing(column, isDescending, keyOf);
}

function countWords(shown: number, noun: string, isWhole: boolean, isBroken: boolean): string {
  const number = shown.toLocaleString("en");
  if (isWhole) return count(shown, nounOf(noun), noun);
  if (!isBroken) return `${number} ${noun} so far`;
  return shown === 0 ? "" : `${number} ${noun}, not all`;
}

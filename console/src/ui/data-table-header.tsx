import type { Column, Sort } from "./columns.ts";
import css from "./data-table.module.css";
import { Icon } from "./icon.tsx";
import { isNarrow } from "./narrow.ts";

interface HeaderProps<Row> {
  readonly columns: readonly Column<Row>[];
  readonly sort: Sort;
  readonly onSort: (sort: Sort) => void;
}

/** What the columns are called, and what the rows are sorted by. */
export function TableHeader<Row>(props: HeaderProps<Row>) {
  return isNarrow.value ? <SortSelect {...props} /> : <HeaderRow {...props} />;
}

function HeaderRow<Row>({ columns, sort, onSort }: HeaderProps<Row>) {
  return (
    <div role="rowgroup" class={css.header}>
      <div role="row" aria-rowindex={1} class={css.headerRow}>
        {columns.map(({ id, label, align }) => {
          const isSorted = sort.column === id;
          const direction = sort.isDescending ? "descending" : "ascending";
          return (
            <span
              key={id}
              role="columnheader"
              class={css.headerCell}
              data-align={align}
              aria-sort={isSorted ? direction : "none"}
            >
              <button
                type="button"
                class={css.sort}
                onClick={() => onSort({ column: id, isDescending: isSorted && !sort.isDescending })}
              >
                {label}
                {isSorted && <Icon name={sort.isDescending ? "down" : "up"} size={11} />}
              </button>
            </span>
          );
        })}
      </div>
    </div>
  );
}

/** A phone has no room for a header. */
function SortSelect<Row>({ columns, sort, onSort }: HeaderProps<Row>) {
  return (
    <div class={css.sortLine}>
      <label>
        Sorted by{" "}
        <select
          value={sort.column}
          onChange={(event) => onSort({ ...sort, column: event.currentTarget.value })}
        >
          {columns.map(({ id, label }) => (
            <option key={id} value={id}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        class={css.sort}
        onClick={() => onSort({ ...sort, isDescending: !sort.isDescending })}
      >
        {sort.isDescending ? "descending" : "ascending"}
        <Icon name={sort.isDescending ? "down" : "up"} size={11} />
      </button>
    </div>
  );
}

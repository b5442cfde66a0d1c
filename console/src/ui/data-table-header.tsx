import type { Column, Sort } from "./columns.ts";
import css from "./data-table.module.css";
import { Icon } from "./icon.tsx";

interface HeaderProps<Row> {
  readonly columns: readonly Column<Row>[];
  readonly sort: Sort;
  readonly onSort: (sort: Sort) => void;
}

/** What the columns are called, and what the rows are sorted by. */
export function HeaderRow<Row>({ columns, sort, onSort }: HeaderProps<Row>) {
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

/** The same, where there is no room for a header: on a phone. */
export function SortSelect<Row>({ columns, sort, onSort }: HeaderProps<Row>) {
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

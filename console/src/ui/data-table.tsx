import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useCommands } from "../app/keys.ts";
import { go } from "../app/router.ts";
import type { Column, Sort } from "./columns.ts";
import css from "./data-table.module.css";
import { HeaderRow, SortSelect } from "./data-table-header.tsx";
import { memo } from "./memo.ts";
import { isNarrow } from "./narrow.ts";
import { VirtualList, type VirtualListHandle } from "./virtual-list.tsx";

interface DataTableProps<Row> {
  /** What it is a table of. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  /** In order. */
  readonly rows: readonly Row[];
  readonly sort: Sort;
  readonly onSort: (sort: Sort) => void;
  readonly keyOf: (row: Row) => string;
  /** Where Enter on a row leads. */
  readonly hrefOf: (row: Row) => string;
  /** Where its events are, which `e` leads to. */
  readonly eventsHrefOf?: (row: Row) => string;
  /** Ms since 1970: a row that changed just now shows it. */
  readonly changedAtMs?: (row: Row) => number | undefined;
  /** Instead of rows, where there are none. */
  readonly empty: ComponentChildren;
}

const ROW_PX = 30;
const NARROW_ROW_PX = 54;
const FLASH_MS = 1500;

/** A table of any length, by mouse and by keys: j and k choose a row, Enter opens it. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { label, columns, rows, keyOf, empty, changedAtMs } = props;
  const list = useRef<VirtualListHandle | undefined>(undefined);
  const [chosen, choose] = useState<string>();
  const chosenAt = useChosenAt(rows, keyOf, chosen);
  const latestKeyOf = useRef(keyOf);
  latestKeyOf.current = keyOf;
  const chooseRow = useCallback((row: Row) => choose(latestKeyOf.current(row)), []);
  const step = (by: number) => {
    const at = Math.min(rows.length - 1, Math.max(0, chosenAt === -1 && by > 0 ? 0 : chosenAt + by));
    const row = rows[at];
    if (row === undefined) return;
    choose(keyOf(row));
    list.current?.scrollToIndex(at);
    // Enter is the row's from now on, not that of a button which was pressed last.
    list.current?.element.focus({ preventScroll: true });
  };
  const openBy = (hrefOf: (row: Row) => string) => () => {
    const row = rows[chosenAt];
    if (row !== undefined) go(hrefOf(row));
  };
  const { hrefOf, eventsHrefOf } = props;
  useCommands([
    { group: "Table", words: "Next row", keys: "j", run: () => step(1) },
    { group: "Table", words: "Row before", keys: "k", run: () => step(-1) },
    { group: "Table", words: "First row", keys: "g g", run: () => step(-rows.length) },
    { group: "Table", words: "Last row", keys: "Shift+G", run: () => step(rows.length) },
    { group: "Table", words: "Open the chosen row", keys: "Enter", run: openBy(hrefOf) },
    ...(eventsHrefOf === undefined
      ? []
      : [{ group: "Table", words: "Events of the chosen row", keys: "e", run: openBy(eventsHrefOf) }]),
  ]);
  const gutterPx = useGutterPx(list, rows.length > 0);
  const tracks = columns.map(({ width }) => width).join(" ");
  return (
    <div class={css.outside}>
      {isNarrow.value && <SortSelect {...props} />}
      <div
        class={rows.length === 0 ? css.headOnly : css.table}
        role="table"
        aria-label={label}
        aria-rowcount={rows.length + 1}
        style={{ "--tracks": tracks, "--gutter": `${gutterPx}px` }}
      >
        {!isNarrow.value && <HeaderRow {...props} />}
        {rows.length > 0 && (
          <VirtualList
            label={label}
            role="rowgroup"
            count={rows.length}
            rowHeight={isNarrow.value ? NARROW_ROW_PX : ROW_PX}
            key={isNarrow.value ? "narrow" : "wide"}
            keyOf={(at) => keyOf(rows[at] as Row)}
            onReady={(handle) => {
              list.current = handle;
            }}
            row={(at) => {
              const row = rows[at] as Row;
              return (
                <Line
                  row={row}
                  at={at}
                  columns={columns}
                  isChosen={at === chosenAt}
                  changedAtMs={changedAtMs?.(row)}
                  onChoose={chooseRow}
                />
              );
            }}
          />
        )}
      </div>
      {rows.length === 0 && empty}
    </div>
  );
}

/** How much of the width the scroll bar of the rows takes: the header leaves it out, too. */
function useGutterPx(list: { readonly current: VirtualListHandle | undefined }, hasRows: boolean): number {
  const [gutterPx, setGutterPx] = useState(0);
  useEffect(() => {
    const element = list.current?.element;
    if (element === undefined) return undefined;
    const observer = new ResizeObserver(() => setGutterPx(element.offsetWidth - element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [hasRows, isNarrow.value]);
  return gutterPx;
}

/** Rows move; the chosen one is the same object wherever it stands. */
function useChosenAt<Row>(rows: readonly Row[], keyOf: (row: Row) => string, chosen?: string): number {
  const last = useRef(-1);
  useEffect(() => {
    last.current = at;
  });
  const isAt = (index: number) => rows[index] !== undefined && keyOf(rows[index]) === chosen;
  const at =
    chosen === undefined ? -1 : isAt(last.current) ? last.current : rows.findIndex((_, i) => isAt(i));
  return at;
}

interface RowProps<Row> {
  readonly row: Row;
  readonly at: number;
  readonly columns: readonly Column<Row>[];
  readonly isChosen: boolean;
  readonly changedAtMs: number | undefined;
  readonly onChoose: (row: Row) => void;
}

/** One that stays the same while the rows around it come and go is not drawn again. */
const Line = memo(TableRow) as typeof TableRow;

function TableRow<Row>({ row, at, columns, isChosen, changedAtMs, onChoose }: RowProps<Row>) {
  const isFresh = changedAtMs !== undefined && Date.now() - changedAtMs < FLASH_MS;
  return (
    <div
      class={css.row}
      role="row"
      aria-rowindex={at + 2}
      aria-current={isChosen ? "true" : undefined}
      onClick={() => onChoose(row)}
    >
      {isFresh && <span key={changedAtMs} class={css.flash} aria-hidden="true" />}
      {isNarrow.value ? <NarrowCells row={row} columns={columns} /> : <Cells row={row} columns={columns} />}
    </div>
  );
}

interface CellsProps<Row> {
  readonly row: Row;
  readonly columns: readonly Column<Row>[];
}

function Cells<Row>({ row, columns }: CellsProps<Row>) {
  return (
    <>
      {columns.map((column) => (
        <span key={column.id} role="cell" class={css.cell} data-align={column.align}>
          {contentOf(column, row)}
        </span>
      ))}
    </>
  );
}

function NarrowCells<Row>({ row, columns }: CellsProps<Row>) {
  return (
    <>
      {([1, 2] as const).map((line) => (
        <span key={line} class={css.line} role="presentation">
          {columns
            .filter((column) => column.narrow === line)
            .map((column) => (
              <span key={column.id} role="cell" class={css.cell} title={column.label}>
                {contentOf(column, row)}
              </span>
            ))}
        </span>
      ))}
    </>
  );
}

function contentOf<Row>(column: Column<Row>, row: Row): ComponentChildren {
  if (column.show !== undefined) return column.show(row);
  const value = column.value(row);
  return typeof value === "number" ? value.toLocaleString("en") : value;
}

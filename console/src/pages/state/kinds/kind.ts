import type { ResourceType } from "nomad-changefeed-client";
import type { ReadObject } from "../../../feed/live-objects.ts";
import type { Column, Sort } from "../../../ui/columns.ts";

/** What every row has. */
export interface BaseRow {
  readonly subject: string;
  readonly namespace: string;
  readonly id: string;
}

/** A kind of object as a table of it: what it takes from each, what it shows of that. */
export interface Kind<Row extends BaseRow, Type extends ResourceType> {
  readonly type: Type;
  readonly label: string;
  /** Whether its objects are in namespaces. */
  readonly isNamespaced: boolean;
  readonly rowOf: (object: ReadObject<Type>) => Row;
  readonly columns: readonly Column<Row>[];
  /** A hook: `columns` and those of what other kinds tell. */
  readonly useColumns?: () => readonly Column<Row>[];
  readonly sort: Sort;
  /** Members that one filters by, and where a row has their values. */
  readonly selectors: Readonly<Record<string, (row: Row) => string>>;
  /** A filter that shows what one may write. */
  readonly example: string;
}

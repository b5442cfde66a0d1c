import type { ResourceType } from "nomad-changefeed-client";
import type { LiveRows } from "../../feed/live-objects.ts";
import type { KnownValues } from "../../ui/filter/completion.ts";
import type { BaseRow, Kind } from "./kinds/kind.ts";

const LOOKED_AT = 3000;
const MOST = 200;

/** Values that objects of the kind have, as far as one looks. */
export function valuesIn<Row extends BaseRow>(
  { selectors }: Pick<Kind<Row, ResourceType>, "selectors">,
  { rows }: LiveRows<Row>,
): KnownValues {
  return (selector) => {
    const read = selectors[selector];
    if (read === undefined) return [];
    const values = new Set<string>();
    let seen = 0;
    for (const row of rows.values()) {
      const value = read(row);
      if (value !== "") values.add(value);
      seen += 1;
      if (seen === LOOKED_AT || values.size === MOST) break;
    }
    return [...values].toSorted();
  };
}

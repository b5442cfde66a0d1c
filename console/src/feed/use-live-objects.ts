import type { ResourceType } from "nomad-changefeed-client";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { asOf } from "../app/router.ts";
import { api } from "./api.ts";
import { follow } from "./follow.ts";
import { mergeRows } from "./merge-rows.ts";
import {
  LiveObjects,
  type LiveRows,
  type ObjectsQuery,
  type ObjectsSource,
  type ReadObject,
} from "./live-objects.ts";

const BRIDGE: ObjectsSource = { read: (query, gone) => api(gone).state(query), follow };

/** Objects as of the time that is shown, for as long as the component is there; others where the query changes. */
export function useLiveObjects<Row extends object, Type extends ResourceType>(
  asked: Omit<ObjectsQuery<Type>, "at">,
  rowOf: (object: ReadObject<Type>) => Row,
): LiveObjects<Row, Type> {
  const query: ObjectsQuery<Type> = asOf.value === "" ? asked : { ...asked, at: asOf.value };
  const key = JSON.stringify(query);
  const objects = useMemo(() => new LiveObjects(query, rowOf, BRIDGE), [key]);
  useEffect(() => objects.start(), [objects]);
  return objects;
}

/** All rows in order. A change costs its own sorting and one walk, however many there are. */
export function useSorted<Row extends object>(
  objects: LiveRows<Row>,
  compare: (one: Row, other: Row) => number,
): readonly Row[] {
  const last = useRef<{ of: unknown; compare: unknown; version: number; sorted: readonly Row[] } | undefined>(
    undefined,
  );
  const { version, changes } = objects.status.value;
  const before = last.current;
  const isSame = before?.of === objects && before.compare === compare;
  if (isSame && before.version === version) return before.sorted;
  const sorted =
    isSame && before.version === version - 1
      ? mergeRows(before.sorted, changes, compare)
      : [...objects.rows.values()].toSorted(compare);
  last.current = { of: objects, compare, version, sorted };
  return sorted;
}

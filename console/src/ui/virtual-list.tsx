import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualItem,
} from "@tanstack/virtual-core";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";
import css from "./virtual-list.module.css";

export interface VirtualListProps {
  readonly count: number;
  /** Px, the same for all. */
  readonly rowHeight: number;
  /** The same row has the same key wherever it stands. */
  readonly keyOf: (index: number) => string | number;
  readonly row: (index: number) => ComponentChildren;
  /** What it is a list of, for those who hear it. */
  readonly label: string;
  readonly overscan?: number;
  /** Told of the rows that can be seen, after each scroll. */
  readonly onRange?: (first: number, last: number) => void;
  /** For who scrolls from outside. */
  readonly onReady?: (list: VirtualListHandle) => void;
  readonly role?: "list" | "rowgroup" | "listbox";
}

export interface VirtualListHandle {
  scrollToIndex(index: number, align?: "auto" | "start" | "center" | "end"): void;
  scrollBy(px: number): void;
  readonly element: HTMLElement;
}

/** A list of any length: as many rows are there as can be seen. */
export function VirtualList(props: VirtualListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [, draw] = useReducer((times: number) => times + 1, 0);
  const latest = useRef(props);
  latest.current = props;
  const [virtualizer] = useState(
    () =>
      new Virtualizer<HTMLDivElement, HTMLDivElement>({
        ...optionsOf(props, scroller),
        onChange: () => draw(undefined),
      }),
  );
  virtualizer.setOptions({
    ...optionsOf(props, scroller),
    onChange: (instance) => {
      draw(undefined);
      const { range } = instance;
      if (range !== null) latest.current.onRange?.(range.startIndex, range.endIndex);
    },
  });
  useEffect(() => virtualizer._didMount(), []);
  useLayoutEffect(() => virtualizer._willUpdate());
  useEffect(() => {
    if (scroller.current === null) return;
    const element = scroller.current;
    latest.current.onReady?.({
      element,
      scrollToIndex: (index, align = "auto") => virtualizer.scrollToIndex(index, { align }),
      scrollBy: (px) => element.scrollBy({ top: px }),
    });
  }, []);
  const { label, row, role = "list" } = props;
  // Nothing may stand between a table and its rows.
  const isTable = role === "rowgroup";
  const items = virtualizer.getVirtualItems();
  return (
    <div ref={scroller} class={css.scroller} tabIndex={0} role={isTable ? role : "group"} aria-label={label}>
      <div
        class={css.space}
        style={{ height: `${virtualizer.getTotalSize()}px` }}
        role={isTable ? "presentation" : role}
      >
        {items.map((item: VirtualItem) => (
          <div
            key={item.key}
            class={css.row}
            {...(role === "list" && { role: "listitem" })}
            {...(isTable && { role: "presentation" })}
            style={{ height: `${item.size}px`, transform: `translateY(${item.start}px)` }}
          >
            {row(item.index)}
          </div>
        ))}
      </div>
    </div>
  );
}

function optionsOf(props: VirtualListProps, scroller: { readonly current: HTMLDivElement | null }) {
  return {
    count: props.count,
    getScrollElement: () => scroller.current,
    estimateSize: () => props.rowHeight,
    getItemKey: props.keyOf,
    overscan: props.overscan ?? 12,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
  };
}

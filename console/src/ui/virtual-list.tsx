import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useVirtualizer } from "./use-virtualizer.ts";
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

/** How much is seen, until it is measured. */
const GUESSED_PX = { width: 0, height: 900 };

/**
 * A list of any length: as many rows are there as can be seen. All are of one height, so that none needs to be measured,
 * and a hundred thousand cost little more than a hundred.
 */
export function VirtualList(props: VirtualListProps) {
  const { count, rowHeight, keyOf, row, label, overscan = 12, role = "list" } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const virtualizer = useVirtualizer({
    count,
    overscan,
    estimateSize: () => rowHeight,
    getScrollElement: () => scroller.current,
    initialRect: GUESSED_PX,
  });
  const items = virtualizer.getVirtualItems();
  const { startIndex: first, endIndex: last } = virtualizer.range ?? { startIndex: 0, endIndex: -1 };
  useEffect(() => latest.current.onRange?.(first, last), [first, last, count]);
  useEffect(() => {
    if (scroller.current !== null) latest.current.onReady?.(handleOf(scroller.current, virtualizer));
  }, []);
  // Nothing may stand between a table and its rows.
  const isTable = role === "rowgroup";
  return (
    <div ref={scroller} class={css.scroller} tabIndex={0} role={isTable ? role : "group"} aria-label={label}>
      <div class={css.space} style={{ height: `${virtualizer.getTotalSize()}px` }} role="presentation">
        <div
          class={css.seen}
          role={isTable ? "presentation" : role}
          style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}
        >
          {items.map(({ index }) => (
            <div
              key={keyOf(index)}
              class={css.row}
              {...(role === "list" && {
                role: "listitem",
                "aria-posinset": index + 1,
                "aria-setsize": count,
              })}
              {...(isTable && { role: "presentation" })}
              style={{ height: `${rowHeight}px` }}
            >
              {row(index)}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

function handleOf(element: HTMLElement, virtualizer: ReturnType<typeof useVirtualizer>): VirtualListHandle {
  return {
    element,
    // From where the element is now: the virtualizer knows only where it was at its last scroll event.
    scrollBy: (px) => {
      virtualizer.cancelScroll();
      element.scrollBy({ top: px });
    },
    scrollToIndex: (index, align = "auto") => virtualizer.scrollToIndex(index, { align }),
  };
}

import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useReducer, useRef } from "preact/hooks";
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

/** How long what is seen was, until it is measured. */
const GUESSED_PX = 900;

/**
 * A list of any length: as many rows are there as can be seen. All are of one height, so that where a row stands is
 * arithmetic, and a hundred thousand cost no more than a hundred.
 */
export function VirtualList(props: VirtualListProps) {
  const { count, rowHeight, keyOf, row, label, overscan = 12, role = "list" } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [, draw] = useReducer((times: number) => times + 1, 0);
  const latest = useRef(props);
  latest.current = props;
  const { top, seen } = useViewport(scroller, () => draw(undefined));
  const first = Math.max(0, Math.min(Math.floor(top / rowHeight), count - 1));
  const last = Math.min(count - 1, Math.ceil((top + seen) / rowHeight));
  useEffect(() => latest.current.onRange?.(first, last), [first, last, count]);
  useEffect(() => {
    if (scroller.current !== null) latest.current.onReady?.(handleOf(scroller.current, latest));
  }, []);
  const from = Math.max(0, first - overscan);
  const to = Math.min(count - 1, last + overscan);
  // Nothing may stand between a table and its rows.
  const isTable = role === "rowgroup";
  const rows = [];
  for (let index = from; index <= to; index += 1) {
    rows.push(
      <div
        key={keyOf(index)}
        class={css.row}
        {...(role === "list" && { role: "listitem", "aria-posinset": index + 1, "aria-setsize": count })}
        {...(isTable && { role: "presentation" })}
        style={{ height: `${rowHeight}px` }}
      >
        {row(index)}
      </div>,
    );
  }
  return (
    <div ref={scroller} class={css.scroller} tabIndex={0} role={isTable ? role : "group"} aria-label={label}>
      <div class={css.space} style={{ height: `${count * rowHeight}px` }} role="presentation">
        <div
          class={css.seen}
          role={isTable ? "presentation" : role}
          style={{ transform: `translateY(${from * rowHeight}px)` }}
        >
          {rows}
        </div>
      </div>
    </div>
  );
}

/** Where the list is scrolled to, and how much of it is seen, px. */
function useViewport(scroller: { readonly current: HTMLElement | null }, onChange: () => void) {
  const view = useRef({ top: 0, seen: GUESSED_PX });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return undefined;
    const look = () => {
      const next = { top: Math.max(0, element.scrollTop), seen: element.clientHeight };
      if (next.top === view.current.top && next.seen === view.current.seen) return;
      view.current = next;
      onChange();
    };
    look();
    const sizes = new ResizeObserver(look);
    sizes.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      sizes.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, []);
  return view.current;
}

function handleOf(element: HTMLElement, latest: { readonly current: VirtualListProps }): VirtualListHandle {
  return {
    element,
    scrollBy: (px) => element.scrollBy({ top: px }),
    scrollToIndex: (index, align = "auto") => {
      const { rowHeight } = latest.current;
      const top = index * rowHeight;
      const seen = element.clientHeight;
      const isAbove = top < element.scrollTop;
      const isBelow = top + rowHeight > element.scrollTop + seen;
      if (align === "auto" && !isAbove && !isBelow) return;
      const side = align === "auto" ? (isAbove ? "start" : "end") : align;
      const shares = { start: 0, center: (seen - rowHeight) / 2, end: seen - rowHeight };
      element.scrollTop = top - shares[side];
    },
  };
}

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { passTouches } from "./touches.ts";

/** What is drawn: bars of one width, from `fromMs` to `toMs`. */
export interface Bars {
  readonly fromMs: number;
  readonly toMs: number;
  /** For each colour the tops of its bars, percent of the height; null where a bar has none of it. Drawn in this order. */
  readonly tops: readonly (readonly (number | null)[])[];
}

/** Bars, counted from the left. */
export interface Pointed {
  readonly at: number;
  /** What is selected, without the one of `to`. */
  readonly selected?: { readonly from: number; readonly to: number };
}

export interface BarPlotOptions {
  readonly bars: Bars;
  /** What a canvas can paint with, one for each of `tops`. */
  readonly colours: readonly string[];
  readonly onPoint: (pointed: Pointed | undefined) => void;
  /** Of whole bars. Absent: nothing can be selected. */
  readonly onSelect?: (from: number, to: number) => void;
}

const NOTHING = { left: 0, top: 0, width: 0, height: 0 };
const OUTSIDE = { left: -10, top: -10 };
/** The pointer is at a bar, not between two. */
const SLACK = 1e-6;

/** Stacked bars over time in an element that has a size. */
export class BarPlot {
  readonly #plot: uPlot;
  readonly #options: BarPlotOptions;
  #bars: Bars;
  #colours: readonly string[];
  /** Where the selection by key began. */
  #anchor: number | undefined;

  constructor(element: HTMLElement, options: BarPlotOptions) {
    this.#options = options;
    this.#bars = options.bars;
    this.#colours = options.colours;
    this.#plot = new uPlot(this.#optionsOf(element), this.#data(), element);
    if (options.onSelect !== undefined) {
      this.#plot.over.addEventListener("click", () => this.enter());
      passTouches(this.#plot.over, () => this.clear());
    }
    this.#sizeCursor();
  }

  show(bars: Bars, colours: readonly string[]): void {
    this.#bars = bars;
    this.#colours = colours;
    this.#plot.setData(this.#data());
    this.#sizeCursor();
  }

  resize(width: number, height: number): void {
    this.#plot.setSize({ width, height });
    this.#sizeCursor();
  }

  /** Moves on by so many bars, from the last one at first; `isSelecting` selects what is passed. */
  step(by: number, isSelecting: boolean): void {
    const last = this.#count - 1;
    const from = this.#pointed?.at ?? last + 1;
    const at = Math.min(last, Math.max(0, from + by));
    this.#anchor = isSelecting ? (this.#anchor ?? Math.min(last, from)) : undefined;
    this.#select(
      this.#anchor === undefined ? undefined : [Math.min(at, this.#anchor), Math.max(at, this.#anchor) + 1],
    );
    this.#plot.setCursor({ left: (at + 0.5) * this.#barPx, top: 0 });
  }

  /** What is selected, or else the bar that is pointed at, is chosen. Answers whether there was something. */
  enter(): boolean {
    const pointed = this.#pointed;
    if (pointed === undefined) return false;
    const { from, to } = pointed.selected ?? { from: pointed.at, to: pointed.at + 1 };
    this.clear();
    this.#options.onSelect?.(from, to);
    return true;
  }

  /** Answers whether there was something. */
  clear(): boolean {
    const isSomething = this.#pointed !== undefined;
    this.#anchor = undefined;
    this.#select(undefined);
    this.#plot.setCursor(OUTSIDE);
    return isSomething;
  }

  destroy(): void {
    this.#plot.destroy();
  }

  get #count(): number {
    return this.#bars.tops[0]?.length ?? 0;
  }

  get #barPx(): number {
    return this.#plot.over.clientWidth / this.#count;
  }

  get #pointed(): Pointed | undefined {
    const { cursor, select } = this.#plot;
    if ((cursor.left ?? -1) < 0 || this.#count === 0) return undefined;
    const at = Math.min(this.#count - 1, Math.floor((cursor.left ?? 0) / this.#barPx));
    if (select.width === 0) return { at };
    const from = Math.floor(select.left / this.#barPx + SLACK);
    const to = Math.ceil((select.left + select.width) / this.#barPx - SLACK);
    return { at, selected: { from, to } };
  }

  #select(range: readonly [from: number, to: number] | undefined): void {
    const px = this.#barPx;
    const box =
      range === undefined
        ? NOTHING
        : {
            left: range[0] * px,
            width: (range[1] - range[0]) * px,
            top: 0,
            height: this.#plot.over.clientHeight,
          };
    this.#plot.setSelect(box, false);
  }

  #onCursor(): void {
    const pointed = this.#pointed;
    if (pointed?.selected !== undefined) this.#select([pointed.selected.from, pointed.selected.to]);
    this.#options.onPoint(pointed);
  }

  #sizeCursor(): void {
    this.#plot.root.style.setProperty("--bar", `${this.#barPx}px`);
  }

  #data(): uPlot.AlignedData {
    const { fromMs, toMs, tops } = this.#bars;
    const barMs = (toMs - fromMs) / this.#count;
    const middles = Array.from({ length: this.#count }, (_, at) => fromMs + (at + 0.5) * barMs);
    return [middles, ...tops.map((ofColour) => [...ofColour])];
  }

  #optionsOf(element: HTMLElement): uPlot.Options {
    const paths = uPlot.paths.bars?.({ size: [0.84] });
    const bars = (_: uPlot, series: number) => this.#colours[series - 1] ?? "";
    const isSelectable = this.#options.onSelect !== undefined;
    return {
      width: element.clientWidth,
      height: element.clientHeight,
      padding: [0, 0, 0, 0],
      legend: { show: false },
      axes: [{ show: false }, { show: false }],
      scales: {
        x: { time: false, range: () => [this.#bars.fromMs, this.#bars.toMs] },
        y: { range: [0, 100] },
      },
      series: [
        {},
        ...this.#bars.tops.map(() => ({
          ...(paths !== undefined && { paths }),
          fill: bars,
          width: 0,
          points: { show: false },
        })),
      ],
      cursor: {
        y: false,
        points: { show: false },
        // The click at the end of a drag finds nothing pointed at.
        drag: { x: isSelectable, y: false, setScale: false, click: () => undefined },
        // A bar is pointed at as a whole.
        move: (_, left, top) =>
          left < 0 ? [left, top] : [(Math.floor(left / this.#barPx) + 0.5) * this.#barPx, 0],
      },
      hooks: {
        setCursor: [() => this.#onCursor()],
        setSelect: [({ select }) => select.width > 0 && this.enter()],
      },
    };
  }
}

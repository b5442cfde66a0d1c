import type { RefObject } from "preact";

const STEPS: Readonly<Record<string, readonly [lane: number, mark: number]>> = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
};

/** The arrow keys lead from mark to mark along a lane, and to the nearest one of the lane above or below. */
export function useMarkKeys(chart: RefObject<HTMLElement | null>): (event: KeyboardEvent) => void {
  return (event) => {
    const step = STEPS[event.key];
    const from = event.target;
    if (step === undefined || !(from instanceof HTMLElement) || from.dataset["mark"] === undefined) return;
    event.preventDefault();
    const lanes = [...(chart.current?.children ?? [])].map((lane) => [
      ...lane.querySelectorAll<HTMLElement>("[data-mark]"),
    ]);
    const to = neighbour(lanes, from, step);
    if (to === undefined) return;
    from.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  };
}

function neighbour(
  lanes: readonly (readonly HTMLElement[])[],
  from: HTMLElement,
  [laneStep, markStep]: readonly [number, number],
): HTMLElement | undefined {
  const lane = lanes.findIndex((marks) => marks.includes(from));
  if (laneStep === 0) return lanes[lane]?.[(lanes[lane]?.indexOf(from) ?? 0) + markStep];
  for (let at = lane + laneStep; at >= 0 && at < lanes.length; at += laneStep) {
    const marks = lanes[at] ?? [];
    if (marks.length > 0) return nearest(marks, momentOf(from));
  }
  return undefined;
}

function nearest(marks: readonly HTMLElement[], ms: number): HTMLElement | undefined {
  return marks.toSorted((a, b) => Math.abs(momentOf(a) - ms) - Math.abs(momentOf(b) - ms))[0];
}

function momentOf(mark: HTMLElement): number {
  return Number(mark.dataset["mark"]);
}

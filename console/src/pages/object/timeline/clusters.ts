import type { Mark } from "../lanes/lane.ts";

/** Marks that stand so close to each other that one is drawn for them. */
export interface Cluster {
  readonly ms: number;
  readonly shape: Mark["shape"];
  readonly marks: readonly Mark[];
}

/** Puts marks together that are closer than `closeMs`; what went wrong is what is drawn of them. */
export function clustersOf(marks: readonly Mark[], closeMs: number): Cluster[] {
  const clusters: Mark[][] = [];
  for (const mark of marks.toSorted((a, b) => a.ms - b.ms)) {
    const last = clusters.at(-1);
    const begin = last?.[0];
    if (last !== undefined && begin !== undefined && mark.ms - begin.ms < closeMs) last.push(mark);
    else clusters.push([mark]);
  }
  return clusters.map((together) => ({
    ms: together[0]?.ms ?? 0,
    shape: shapeOf(together),
    marks: together,
  }));
}

function shapeOf(marks: readonly Mark[]): Mark["shape"] {
  const shapes = marks.map(({ shape }) => shape);
  if (shapes.includes("cross")) return "cross";
  return shapes.includes("diamond") ? "diamond" : "dot";
}

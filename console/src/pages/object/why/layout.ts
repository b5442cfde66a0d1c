import type { Why } from "nomad-changefeed-client";

export type WhyNode = Why["nodes"][number];
type WhyEdge = Why["edges"][number];

export const NODE_WIDTH_PX = 172;
export const NODE_HEIGHT_PX = 50;
const LETTER_PX = 6.3;
const WORDS_HEIGHT_PX = 16;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where everything of a graph stands, px from its upper left corner. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Middles. */
  readonly nodes: readonly (Point & { readonly node: WhyNode })[];
  readonly edges: readonly {
    readonly edge: WhyEdge;
    readonly points: readonly Point[];
    /** Middle of its words. */
    readonly words: Point;
  }[];
}

/** Causes stand before effects: to the left, or above where there is little width. */
export async function layoutOf(
  nodes: readonly WhyNode[],
  edges: readonly WhyEdge[],
  direction: "LR" | "TB",
): Promise<Layout> {
  const { Graph, layout } = await import("@dagrejs/dagre");
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: direction, nodesep: 18, ranksep: 24, edgesep: 14, marginx: 12, marginy: 12 });
  const known = new Map(nodes.map((node) => [node.subject, node]));
  for (const { subject } of nodes) graph.setNode(subject, { width: NODE_WIDTH_PX, height: NODE_HEIGHT_PX });
  const shown = edges.filter(({ from, to }) => known.has(from) && known.has(to));
  for (const [at, edge] of shown.entries()) {
    const { from, to } = edge;
    const width = Math.ceil(shortWords(edge).length * LETTER_PX) + 10;
    graph.setEdge(from, to, { width, height: WORDS_HEIGHT_PX, labelpos: "c" }, String(at));
  }
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return {
    width,
    height,
    nodes: nodes.map((node) => ({ node, ...(graph.node(node.subject) as Point) })),
    edges: shown.map((edge, at) => {
      const placed = graph.edge(edge.from, edge.to, String(at)) as Point & { points: Point[] };
      return { edge, points: placed.points, words: { x: placed.x, y: placed.y } };
    }),
  };
}

/** What stands beside a line: `replaced-by` as "replaced by". */
export function shortWords({ relation }: WhyEdge): string {
  return relation.replaceAll("-", " ");
}

/** A line through points without corners. */
export function curveThrough(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  const middles = rest.slice(0, -1).map((point, at) => {
    const next = rest[at + 1] ?? point;
    return `Q ${point.x} ${point.y} ${(point.x + next.x) / 2} ${(point.y + next.y) / 2}`;
  });
  const last = rest.at(-1) ?? first;
  return `M ${first.x} ${first.y} ${middles.join(" ")} L ${last.x} ${last.y}`;
}

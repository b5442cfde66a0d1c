import type { Why } from "nomad-changefeed-client";
import { useLayoutEffect, useRef } from "preact/hooks";
import { objectHref } from "../../../app/router.ts";
import { useLoaded } from "../../../feed/use-loaded.ts";
import { Failure, Skeleton } from "../../../ui/panel.tsx";
import { Icon, isIcon } from "../../../ui/icon.tsx";
import { nounOf, partsOf } from "../../../words/names.ts";
import { useWidth } from "../use-width.ts";
import {
  curveThrough,
  layoutOf,
  NODE_HEIGHT_PX,
  NODE_WIDTH_PX,
  shortWords,
  type Layout,
  type WhyNode,
} from "./layout.ts";
import css from "./why.module.css";

/** Less than that, and causes stand above their effects. */
const NARROW_PX = 820;

/** The objects that had to do with it, causes before effects. */
export function WhyGraph({ why }: { why: Why }) {
  const { element, width } = useWidth<HTMLDivElement>();
  const direction = width < NARROW_PX ? "TB" : "LR";
  const key = `${why.asOf} ${why.subject} ${direction}`;
  const { value, error } = useLoaded(key, () => layoutOf(why.nodes, why.edges, direction));
  return (
    <section aria-label="Causes and effects" class={css.graph} ref={element}>
      {value === undefined && error === undefined && <Skeleton lines={6} />}
      {error !== undefined && <Failure error={error} />}
      {value !== undefined && <Drawing layout={value} subject={why.subject} />}
    </section>
  );
}

function Drawing({ layout, subject }: { layout: Layout; subject: string }) {
  const { width, height, nodes, edges } = layout;
  const scroller = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const asked = nodes.find(({ node }) => node.subject === subject);
    const { current: view } = scroller;
    if (asked === undefined || view === null) return;
    view.scrollTo({ left: asked.x - view.clientWidth / 2, top: asked.y - view.clientHeight / 2 });
  }, [layout]);
  return (
    <div ref={scroller} class={css.scroller} tabIndex={0} role="group" aria-label="Graph, to scroll">
      <div class={css.drawing} style={{ width: `${width}px`, height: `${height}px` }}>
        <svg width={width} height={height} aria-hidden="true" class={css.lines}>
          <defs>
            <marker
              id="why-arrow"
              viewBox="0 0 8 8"
              refX="7"
              refY="4"
              markerWidth="7"
              markerHeight="7"
              orient="auto"
            >
              <path d="M0 0 8 4 0 8z" class={css.arrow} />
            </marker>
          </defs>
          {edges.map(({ edge, points, words }) => (
            <g key={`${edge.from} ${edge.to} ${edge.relation}`}>
              <path d={curveThrough(points)} class={css.line} marker-end="url(#why-arrow)" />
              <text x={words.x} y={words.y} class={css.edgeWords}>
                {shortWords(edge)}
              </text>
            </g>
          ))}
        </svg>
        <ul>
          {nodes.map(({ node, x, y }) => (
            <li
              key={node.subject}
              class={css.place}
              style={{
                insetInlineStart: `${x - NODE_WIDTH_PX / 2}px`,
                top: `${y - NODE_HEIGHT_PX / 2}px`,
                width: `${NODE_WIDTH_PX}px`,
                height: `${NODE_HEIGHT_PX}px`,
              }}
            >
              <NodeLink node={node} layout={layout} isAsked={node.subject === subject} />
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

interface NodeLinkProps {
  readonly node: WhyNode;
  readonly layout: Layout;
  readonly isAsked: boolean;
}

function NodeLink({ node, layout, isAsked }: NodeLinkProps) {
  const { resource } = partsOf(node.subject);
  return (
    <a
      class={css.node}
      href={objectHref(node.subject)}
      data-asked={isAsked ? "" : undefined}
      {...(isAsked && { "aria-current": "true" })}
      title={`${nounOf(resource)} ${partsOf(node.subject).key}`}
    >
      <span class={css.nodeName}>
        {isIcon(resource) && <Icon name={resource} size={13} />}
        {!node.label.startsWith(node.kind) && <span class="visually-hidden">{node.kind} </span>}
        <span class={css.cut}>{node.label}</span>
      </span>
      <span class={css.nodeState}>{node.state === "" ? " " : node.state}</span>
      <span class="visually-hidden">{causesOf(node, layout)}</span>
    </a>
  );
}

/** What the lines that end here say, for those who hear them. */
function causesOf({ subject }: WhyNode, { edges }: Layout): string {
  return edges
    .filter(({ edge }) => edge.to === subject)
    .map(({ edge }) => `; ${edge.words}`)
    .join("");
}

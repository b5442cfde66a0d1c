import { useMemo } from "preact/hooks";
import { useLiveObjects } from "../../feed/use-live-objects.ts";
import { useLoads, type Loads } from "../../feed/use-loads.ts";
import { Empty, Failure, Panel, Skeleton } from "../../ui/panel.tsx";
import { count } from "../../words/names.ts";
import type { Flaps } from "./flaps.ts";
import css from "./cluster.module.css";
import { nodeFacts, type NodeFacts } from "./node-facts.ts";
import { NodeLine } from "./node-line.tsx";

/** Nodes by pool and datacenter, with what runs on them. */
export function NodesPanel({ flaps }: { flaps: Flaps | undefined }) {
  const nodes = useLiveObjects({ type: "nodes" }, nodeFacts);
  const loads = useLoads();
  const { version, isWhole, error } = nodes.status.value;
  const groups = useMemo(() => groupsOf([...nodes.rows.values()]), [nodes, version]);
  return (
    <Panel
      title="Nodes"
      aside={`${count(nodes.rows.size, "node")}, ${loads.isWhole ? "" : "at least "}${count(loads.allocations, "allocation")}`}
      flush
    >
      {[error, loads.error].map((one, index) => one !== undefined && <Failure key={index} error={one} />)}
      {!isWhole && error === undefined && nodes.rows.size === 0 && <Skeleton lines={6} />}
      {isWhole && nodes.rows.size === 0 && (
        <Empty title="There are no nodes">Or your token may not see them: it needs node:read.</Empty>
      )}
      {groups.map((group) => (
        <NodeGroup key={group.name} group={group} loads={loads} flaps={flaps} />
      ))}
    </Panel>
  );
}

interface Group {
  readonly name: string;
  readonly pool: string;
  readonly datacenter: string;
  readonly nodes: readonly NodeFacts[];
}

interface NodeGroupProps {
  readonly group: Group;
  readonly loads: Loads;
  readonly flaps: Flaps | undefined;
}

function NodeGroup({ group: { pool, datacenter, nodes }, loads, flaps }: NodeGroupProps) {
  const running = nodes.reduce((sum, { id }) => sum + loads.of(id).running, 0);
  const most = Math.max(1, ...nodes.map(({ id }) => loads.of(id).running + loads.of(id).pending));
  const ready = nodes.filter(({ status, isEligible }) => status === "ready" && isEligible).length;
  return (
    <section class={css.group} aria-label={`Pool ${pool} in ${datacenter}`}>
      <h3 class={css.groupHead}>
        {pool} <span class="muted">in {datacenter}</span>
        <span class={css.groupCount}>
          {ready} of {count(nodes.length, "node")} ready, {count(running, "allocation")} running
        </span>
      </h3>
      <ul>
        {nodes.map((node) => (
          <NodeLine
            key={node.id}
            node={node}
            load={loads.of(node.id)}
            most={most}
            flaps={flaps?.nodes.get(node.subject)}
          />
        ))}
      </ul>
    </section>
  );
}

/** What asks for attention first, then by name. */
function groupsOf(nodes: readonly NodeFacts[]): Group[] {
  const all = Map.groupBy(nodes, ({ pool, datacenter }) => `${pool}\n${datacenter}`);
  return [...all]
    .map(([name, members]) => {
      const [pool = "", datacenter = ""] = name.split("\n");
      const rank = ({ status, isDraining, isEligible }: NodeFacts) =>
        status !== "ready" ? 0 : isDraining ? 1 : isEligible ? 3 : 2;
      const inOrder = members.toSorted(
        (one, other) => rank(one) - rank(other) || (one.name < other.name ? -1 : 1),
      );
      return { name, pool, datacenter, nodes: inOrder };
    })
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

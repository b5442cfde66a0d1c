import { factChanges, factsOfNode, nodeEvents, type NodeFacts } from "../../events/node-details.ts";
import type { NodeReader } from "../../nomad/node-reader.ts";
import { revOf } from "../../schemas/resources.ts";
import type { Finder } from "./finder.ts";

interface NodeFinderDeps {
  readonly nodes: Pick<NodeReader, "read">;
  /** Takes out of texts about a node what the configuration says must not leave. */
  readonly redact: <Texts extends object>(texts: Texts) => Texts;
}

/** Nodes whose attributes are kept to compare with: some kilobytes each. */
const MAX_KEPT = 1000;

/** What a node says of itself beyond its stub: `--enrich node`. */
export function nodeFinder({ nodes, redact }: NodeFinderDeps): Finder {
  /** As they were read last, the longest unread first. */
  const kept = new Map<string, NodeFacts>();

  const keep = (id: string, facts: NodeFacts): NodeFacts | undefined => {
    const before = kept.get(id);
    kept.delete(id);
    kept.set(id, facts);
    const [oldest] = kept.keys();
    if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
    return before;
  };
  return {
    what: "node",
    wants: ({ ref, op }) => ref.resource === "nodes" && op !== "delete",
    find: async ({ ref, before, after }, signal) => {
      const node = await nodes.read(ref.key, signal);
      if (node === undefined) return "Nomad has the node no longer";
      const facts = factsOfNode(node);
      const known = keep(ref.key, facts);
      const span = { previous: before && revOf(before.value), current: revOf(after?.value ?? {}) ?? "0" };
      return {
        node: {
          events: nodeEvents(node, span, redact),
          ...(known !== undefined && factChanges(known, facts, redact)),
        },
      };
    },
    without: (unavailable) => ({ node: { unavailable } }),
  };
}

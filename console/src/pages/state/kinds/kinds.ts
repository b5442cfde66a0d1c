import type { ResourceType } from "nomad-changefeed-client";
import { allocations } from "./allocations.tsx";
import { deployments } from "./deployments.tsx";
import { evaluations } from "./evaluations.tsx";
import { jobs } from "./jobs.tsx";
import type { Kind } from "./kind.ts";
import { namespaces } from "./namespaces.tsx";
import { nodes } from "./nodes.tsx";

// A table takes the rows that its own kind has made.
export const KINDS = [
  jobs,
  allocations,
  nodes,
  deployments,
  evaluations,
  namespaces,
] as unknown as readonly Kind[];

export function isKind(name: string): name is ResourceType {
  return KINDS.some(({ type }) => type === name);
}

export function kindOf(type: ResourceType): Kind {
  const kind = KINDS.find((one) => one.type === type);
  if (kind === undefined) throw new RangeError(`There is no table of ${type}`);
  return kind;
}

import type { ResourceType } from "nomad-changefeed-client";
import type { ComponentType } from "preact";
import { KindTable } from "./kind-table.tsx";
import { allocations } from "./kinds/allocations.tsx";
import { deployments } from "./kinds/deployments.tsx";
import { evaluations } from "./kinds/evaluations.tsx";
import { jobs } from "./kinds/jobs.tsx";
import type { BaseRow, Kind } from "./kinds/kind.ts";
import { namespaces } from "./kinds/namespaces.tsx";
import { nodes } from "./kinds/nodes.tsx";
import { otherKind } from "./kinds/other.tsx";

export interface ObjectTable {
  readonly type: ResourceType;
  readonly label: string;
  readonly Table: ComponentType;
}

/** In the order of the tabs; those of other kinds that the feed has come behind them. */
export const TABLES = [
  tableOf(jobs),
  tableOf(allocations),
  tableOf(nodes),
  tableOf(deployments),
  tableOf(evaluations),
  tableOf(namespaces),
] as const;

const others = new Map<ResourceType, ObjectTable>();

/** The table of a kind that has none of its own, made once: it keeps what it shows. */
export function otherTable(type: ResourceType): ObjectTable {
  const known = others.get(type) ?? tableOf(otherKind(type));
  others.set(type, known);
  return known;
}

/** Only the table knows what rows its kind makes. */
function tableOf<Row extends BaseRow, Type extends ResourceType>(kind: Kind<Row, Type>): ObjectTable {
  const { type, label } = kind;
  return { type, label, Table: () => <KindTable kind={kind} /> };
}

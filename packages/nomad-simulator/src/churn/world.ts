import type { Cluster } from "../cluster/cluster.ts";
import type { Random } from "../random.ts";
import type { Row } from "../store/row.ts";
import type { State } from "../store/state.ts";
import type { TableName } from "../store/tables.ts";
import type { Agenda } from "./agenda.ts";

/** What the churn works with. Every random choice comes from `random`, so that a seed is a history. */
export interface World {
  readonly cluster: Cluster;
  readonly random: Random;
  readonly agenda: Agenda;
  /** Sizes the churn keeps the cluster near to. */
  readonly targets: { readonly jobs: number; readonly nodes: number; readonly namespaces: number };
  /** Jobs purged lately, to register again. */
  readonly purged: { readonly namespace: string; readonly id: string }[];
  /** Raft entries that other parts of Nomad write. */
  skipEntries(count: number): void;
}

/** Some row of the table, or undefined where it is empty. */
export function anyRow<T extends TableName>(world: World, table: T): Row<T> | undefined {
  const rows = world.cluster.state.table(table);
  return rows.size === 0 ? undefined : rows.at(world.random.between(0, rows.size - 1));
}

/** Some row for which `fits` holds, tried a few times. */
export function someRow<T extends TableName>(
  world: World,
  table: T,
  fits: (row: Row<T>) => boolean,
): Row<T> | undefined {
  for (let attempt = 0; attempt < 24; attempt += 1) {
    const row = anyRow(world, table);
    if (row === undefined || fits(row)) return row;
  }
  return undefined;
}

export function readyNodes(state: State): Row<"nodes">[] {
  return [...state.tables.nodes.values()].filter(
    ({ stub }) => stub.Status === "ready" && stub.SchedulingEligibility === "eligible",
  );
}

import { Subject } from "../../../ui/subject.tsx";
import { useMemo } from "preact/hooks";
import { useLoads } from "../../../feed/use-loads.ts";
import type { Column } from "../../../ui/columns.ts";
import { numberColumn, State } from "./cells.tsx";
import type { BaseRow, Kind } from "./kind.ts";

export interface NodeRow extends BaseRow {
  readonly name: string;
  readonly status: string;
  readonly eligibility: string;
  readonly drain: string;
  readonly pool: string;
  readonly datacenter: string;
  readonly class: string;
  readonly version: string;
  readonly address: string;
  /** Drivers that were found and do not work. */
  readonly brokenDrivers: string;
}

export const nodes: Kind<NodeRow, "nodes"> = {
  type: "nodes",
  label: "Nodes",
  isNamespaced: false,
  example: 'Status != "ready" or Drain == true',
  sort: { column: "name", isDescending: false },
  selectors: {
    Name: ({ name }) => name,
    Status: ({ status }) => status,
    NodePool: ({ pool }) => pool,
    Datacenter: ({ datacenter }) => datacenter,
    NodeClass: (row) => row.class,
    Version: ({ version }) => version,
  },
  useColumns,
  rowOf: ({ subject, namespace, id, stub }) => ({
    subject,
    namespace,
    id,
    name: stub.Name,
    status: stub.Status,
    eligibility: stub.SchedulingEligibility,
    drain: drainOf(stub),
    pool: stub.NodePool ?? "",
    datacenter: stub.Datacenter,
    class: stub.NodeClass,
    version: stub.Version,
    address: stub.Address,
    brokenDrivers: Object.entries(stub.Drivers ?? {})
      .filter(([, { Detected, Healthy }]) => Detected && !Healthy)
      .map(([name]) => name)
      .join(", "),
  }),
  columns: [
    {
      id: "name",
      label: "Node",
      value: ({ name }) => name,
      show: ({ subject, name }) => <Subject subject={subject} name={name} plain />,
      width: "minmax(140px, 1.6fr)",
      narrow: 1,
    },
    {
      id: "status",
      label: "Status",
      value: ({ status }) => status,
      show: ({ status }) => <State word={status} tone={toneOf(status)} />,
      width: "104px",
      narrow: 1,
    },
    {
      id: "eligibility",
      label: "Eligibility",
      value: ({ eligibility }) => eligibility,
      show: ({ eligibility }) => (
        <State word={eligibility} tone={eligibility === "eligible" ? "plain" : "warn"} />
      ),
      width: "96px",
      narrow: 2,
    },
    {
      id: "drain",
      label: "Drain",
      value: ({ drain }) => (drain === "" ? null : drain),
      show: ({ drain }) => <State word={drain} tone={drain === "draining" ? "info" : "plain"} />,
      width: "88px",
      narrow: 2,
    },
    { id: "pool", label: "Pool", value: ({ pool }) => pool, width: "minmax(80px, 0.8fr)", narrow: 2 },
    {
      id: "datacenter",
      label: "Datacenter",
      value: ({ datacenter }) => datacenter,
      width: "88px",
      narrow: 2,
    },
    { id: "class", label: "Class", value: (row) => row.class, width: "minmax(70px, 0.6fr)" },
    { id: "version", label: "Version", value: ({ version }) => version, width: "72px" },
    { id: "address", label: "Address", value: ({ address }) => address, width: "minmax(104px, 0.8fr)" },
    {
      id: "drivers",
      label: "Broken drivers",
      value: ({ brokenDrivers }) => (brokenDrivers === "" ? null : brokenDrivers),
      width: "minmax(96px, 0.6fr)",
    },
  ],
};

function useColumns(): readonly Column<NodeRow>[] {
  const loads = useLoads();
  return useMemo(() => {
    const column = numberColumn<NodeRow>("allocations", "Allocations", ({ id }) => loads.of(id).running);
    return [...nodes.columns, { ...column, width: "84px", narrow: 2 as const }];
  }, [loads]);
}

function drainOf({
  Drain,
  LastDrain,
}: {
  readonly Drain: boolean;
  readonly LastDrain?: { readonly Status: string } | null | undefined;
}): string {
  return Drain ? "draining" : (LastDrain?.Status ?? "");
}

function toneOf(status: string) {
  if (status === "ready") return "ok";
  return status === "initializing" ? "info" : "error";
}

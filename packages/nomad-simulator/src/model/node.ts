/** A node as `/v1/nodes` lists it. */
export type NodeStub = Readonly<{
  Address: string;
  CreateIndex: number;
  Datacenter: string;
  Drain: boolean;
  Drivers: ReadonlyMap<string, DriverInfo>;
  HostVolumes: ReadonlyMap<string, HostVolumeConfig>;
  ID: string;
  LastDrain: DrainMetadata | null;
  ModifyIndex: number;
  Name: string;
  NodeClass: string;
  NodePool: string;
  SchedulingEligibility: "eligible" | "ineligible";
  Status: NodeStatus;
  StatusDescription: string;
  Version: string;
}>;

export type NodeStatus = "initializing" | "ready" | "down" | "disconnected";

export type DriverInfo = Readonly<{
  Attributes: ReadonlyMap<string, string>;
  Detected: boolean;
  HealthDescription: string;
  Healthy: boolean;
  UpdateTime: string;
}>;

type HostVolumeConfig = Readonly<{ ID: string; Name: string; Path: string; ReadOnly: boolean }>;

type DrainMetadata = Readonly<{
  AccessorID: string;
  Meta: ReadonlyMap<string, string> | null;
  StartedAt: string;
  Status: "draining" | "complete" | "canceled";
  UpdatedAt: string;
}>;

export interface NodeModel {
  readonly events: readonly Readonly<{
    message: string;
    subsystem: string;
    timestamp: string;
    index: number;
  }>[];
}

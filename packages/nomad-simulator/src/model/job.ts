/** A job as `/v1/jobs` lists it, fields in the order Nomad writes them. */
export type JobStub = Readonly<{
  CreateIndex: number;
  Datacenters: readonly string[];
  ID: string;
  JobModifyIndex: number;
  JobSummary: JobSummary;
  ModifyIndex: number;
  Multiregion: null;
  Name: string;
  Namespace: string;
  NodePool: string;
  ParameterizedJob: boolean;
  ParentID: string;
  Periodic: boolean;
  Priority: number;
  Status: "pending" | "running" | "dead";
  StatusDescription: string;
  Stop: boolean;
  SubmitTime: bigint;
  Type: JobType;
}>;

export type JobType = "service" | "batch" | "system" | "sysbatch";

type JobSummary = Readonly<{
  Children: Readonly<{ Dead: number; Pending: number; Running: number }>;
  CreateIndex: number;
  JobID: string;
  ModifyIndex: number;
  Namespace: string;
  Summary: ReadonlyMap<string, GroupSummary>;
}>;

export type GroupSummary = Readonly<{
  Complete: number;
  Failed: number;
  Lost: number;
  Queued: number;
  Running: number;
  Starting: number;
  Unknown: number;
}>;

export const EMPTY_GROUP_SUMMARY: GroupSummary = {
  Complete: 0,
  Failed: 0,
  Lost: 0,
  Queued: 0,
  Running: 0,
  Starting: 0,
  Unknown: 0,
};

export interface GroupSpec {
  readonly name: string;
  readonly count: number;
  readonly tasks: readonly string[];
  /** Which of its releases runs: what it is made of follows from it. */
  readonly release?: number;
}

/** What a job was, or is, at one of its versions. */
export interface JobVersion {
  readonly stub: JobStub;
  readonly version: number;
  readonly groups: readonly GroupSpec[];
  readonly stable: boolean;
  readonly versionTag: string | null;
  readonly submitter: string;
}

/** What the simulator knows of a job beyond its stub. */
export interface JobModel {
  readonly version: number;
  readonly groups: readonly GroupSpec[];
  /** Canaries of an update; 0 for a rolling update. */
  readonly canaries: number;
  readonly autoRevert: boolean;
  readonly autoPromote: boolean;
  /** The last version whose deployment succeeded, to go back to. */
  readonly stable: Readonly<{ version: number; groups: readonly GroupSpec[]; submitTime: bigint }> | null;
  readonly versionTag: string | null;
  /** Accessor of the token that registered it last; "" without. */
  readonly submitter: string;
  /** The versions before, newest first, as many as are kept. */
  readonly past: readonly JobVersion[];
}

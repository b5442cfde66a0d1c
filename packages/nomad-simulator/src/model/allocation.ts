import { PieceWriter, type GoValue, type Piece } from "../go-json.ts";

/** An allocation as `/v1/allocations` lists it. */
export type AllocationStub = Readonly<{
  ClientDescription: string;
  ClientStatus: ClientStatus;
  CreateIndex: number;
  CreateTime: bigint;
  DeploymentStatus: DeploymentHealth | null;
  DesiredDescription: string;
  DesiredStatus: "run" | "stop" | "evict";
  DesiredTransition: DesiredTransition;
  EvalID: string;
  FollowupEvalID: string;
  ID: string;
  JobID: string;
  JobType: string;
  JobVersion: number;
  ModifyIndex: number;
  ModifyTime: bigint;
  Name: string;
  Namespace: string;
  NextAllocation: string;
  NodeID: string;
  NodeName: string;
  PreemptedAllocations: readonly string[] | null;
  PreemptedByAllocation: string;
  RescheduleTracker: RescheduleTracker | null;
  TaskGroup: string;
  TaskStates: ReadonlyMap<string, TaskState> | null;
}>;

export type ClientStatus = "pending" | "running" | "complete" | "failed" | "lost" | "unknown";

type DeploymentHealth = Readonly<{
  Canary: boolean;
  Healthy: boolean | null;
  ModifyIndex: number;
  Timestamp: string | null;
}>;

export type DesiredTransition = Readonly<{
  ForceReschedule: boolean | null;
  Migrate: boolean | null;
  MigrateDisablePlacement: boolean | null;
  NoShutdownDelay: boolean | null;
  Reschedule: boolean | null;
}>;

export const NO_TRANSITION: DesiredTransition = {
  ForceReschedule: null,
  Migrate: null,
  MigrateDisablePlacement: null,
  NoShutdownDelay: null,
  Reschedule: null,
};

type RescheduleTracker = Readonly<{
  Events: readonly Readonly<{
    Delay: bigint;
    PrevAllocID: string;
    PrevNodeID: string;
    RescheduleTime: bigint;
  }>[];
  LastReschedule: string;
}>;

export type TaskState = Readonly<{
  Events: readonly TaskEvent[];
  Failed: boolean;
  FinishedAt: string | null;
  LastRestart: string | null;
  Paused: string;
  Restarts: number;
  StartedAt: string | null;
  State: "pending" | "running" | "dead";
}>;

/** A task event, without the deprecated fields, which `encodeAllocation` fills in as Nomad does. */
export type TaskEvent = Readonly<{
  Details: ReadonlyMap<string, string>;
  DisplayMessage: string;
  Message: string;
  Time: bigint;
  Type: string;
  ExitCode?: number;
  Signal?: number;
  FailsTask?: boolean;
  KillTimeout?: bigint;
  RestartReason?: string;
  StartDelay?: bigint;
}>;

export interface AllocationModel {
  /** Index of the last write that was not its client's. */
  readonly allocModifyIndex: number;
  readonly deploymentId: string;
}

export function encodeAllocation(stub: AllocationStub): Piece[] {
  const { TaskStates, ...rest } = stub;
  return encodeFields(rest, TaskStates);
}

/** Fields of an allocation; `TaskStates` undefined: left out. */
export function encodeFields(
  fields: { readonly [field: string]: GoValue },
  TaskStates: AllocationStub["TaskStates"] | undefined,
): Piece[] {
  const writer = new PieceWriter().raw("{");
  Object.entries(fields).forEach(([name, value], position) => {
    writer.raw(position > 0 ? `,"${name}":` : `"${name}":`).value(value);
  });
  if (TaskStates === null) writer.raw(`,"TaskStates":null`);
  else if (TaskStates !== undefined) writer.raw(`,"TaskStates":`).map(TaskStates, writeTaskState);
  return writer.raw("}").finish();
}

function writeTaskState(writer: PieceWriter, { Events, ...rest }: TaskState): void {
  writer.raw(`{"Events":[`);
  Events.forEach((event, position) => {
    if (position > 0) writer.raw(",");
    writeTaskEvent(writer, event);
  });
  writer.raw("]");
  for (const [name, value] of Object.entries(rest)) writer.raw(`,"${name}":`).value(value);
  writer.raw("}");
}

const text = (value: string): string => JSON.stringify(value);

function writeTaskEvent(writer: PieceWriter, event: TaskEvent): void {
  writer
    .raw(`{"Details":`)
    .value(event.Details)
    .raw(`,"DiskLimit":0,"DisplayMessage":${text(event.DisplayMessage)},"DownloadError":"","DriverError":""`)
    .raw(`,"DriverMessage":"","ExitCode":${event.ExitCode ?? 0},"FailedSibling":"","FailsTask":`)
    .raw(`${event.FailsTask ?? false},"GenericSource":"","KillError":"","KillReason":"","KillTimeout":`)
    .raw(`${event.KillTimeout ?? 0},"Message":${text(event.Message)},"RestartReason":`)
    .raw(`${text(event.RestartReason ?? "")},"SetupError":"","Signal":${event.Signal ?? 0},"StartDelay":`)
    .raw(`${event.StartDelay ?? 0},"TaskSignal":"","TaskSignalReason":"","Time":${event.Time},"Type":`)
    .raw(`${text(event.Type)},"ValidationError":"","VaultError":""}`);
}

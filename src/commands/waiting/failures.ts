import type { NomadStub } from "../../../packages/client/src/shared.ts";
import type { Known } from "./known.ts";
import { shortId } from "../../shared/short-id.ts";

const MAX_FAILURES = 3;
const MAX_TEXT = 200;

type Allocation = NomadStub<"allocations">;

/** Why allocations of a version failed, in Nomad's words, of the newest few. */
export function failuresOf({ allocations }: Known, version: number): string[] {
  return allocations
    .filter(({ JobVersion }) => JobVersion === version)
    .filter(hasFailed)
    .toSorted((a, b) => b.ModifyIndex - a.ModifyIndex)
    .slice(0, MAX_FAILURES)
    .map(failureText);
}

function hasFailed({ ClientStatus, DeploymentStatus }: Allocation): boolean {
  return ClientStatus === "failed" || ClientStatus === "lost" || DeploymentStatus?.Healthy === false;
}

function failureText({ ID, TaskGroup, ClientStatus, ClientDescription, TaskStates }: Allocation): string {
  const tasks = Object.entries(TaskStates ?? {});
  const [name, task] = tasks.find(([, { Failed }]) => Failed) ?? tasks[0] ?? [];
  const events = (task?.Events ?? []).slice(-2).map(({ DisplayMessage }) => DisplayMessage);
  const words = name === undefined ? ClientDescription : `${name}: ${events.join("; ")}`;
  return `allocation ${shortId(ID)} (${TaskGroup}) ${ClientStatus}: ${words}`.slice(0, MAX_TEXT);
}

import type { NomadObject, NomadStub, ResourceType } from "../../../packages/client/src/shared.ts";
import type { Wanted } from "./wanted.ts";

/** What the feed knows of what is waited for. */
export interface Known {
  readonly job: NomadStub<"jobs"> | undefined;
  readonly deployment: NomadStub<"deployments"> | undefined;
  /** Of the version at hand. */
  readonly evaluations: readonly NomadStub<"evaluations">[];
  /** Evaluations of the job that are not over. */
  readonly active: readonly NomadStub<"evaluations">[];
  /** Of all versions. */
  readonly allocations: readonly NomadStub<"allocations">[];
}

/**
 * @param followed id of the deployment that was followed last: it stays the one, though Nomad rolls the job back, unless
 * a newer version took its place or it has succeeded.
 */
export function knownOf(
  objects: ReadonlyMap<string, NomadObject>,
  wanted: Wanted,
  followed: string | null,
): Known {
  const [job] = stubsOf(objects, "jobs");
  const all = stubsOf(objects, "evaluations");
  const named = all.filter(({ ID }) => wanted.evaluation !== null && ID.startsWith(wanted.evaluation));
  const index = wanted.evaluation === null ? job?.JobModifyIndex : named[0] && registeredAt(named[0]);
  const deployments = stubsOf(objects, "deployments");
  const newest = deployments
    .filter((stub) => isWanted(stub, wanted, index))
    .toSorted((a, b) => a.CreateIndex - b.CreateIndex)
    .at(-1);
  return {
    job,
    deployment: deployments.find((stub) => stub.ID === followed && !isPast(stub)) ?? newest,
    evaluations: all.filter((stub) => index !== undefined && registeredAt(stub) === index),
    active: all.filter(({ Status }) => Status === "pending" || Status === "blocked"),
    allocations: stubsOf(objects, "allocations"),
  };
}

const isPast = ({ Status }: NomadStub<"deployments">): boolean =>
  Status === "cancelled" || Status === "successful";

/** @param index Raft index at which the version at hand was registered. */
function isWanted(stub: NomadStub<"deployments">, wanted: Wanted, index: number | undefined): boolean {
  if (wanted.deployment !== null) return true;
  if (wanted.version !== null) return stub.JobVersion === wanted.version;
  return index !== undefined && stub["JobSpecModifyIndex"] === index;
}

/** Raft index of the version that an evaluation is about; undefined where it does not say. */
function registeredAt(stub: NomadStub<"evaluations">): number | undefined {
  const index = stub["JobModifyIndex"];
  return typeof index === "number" ? index : undefined;
}

function stubsOf<Type extends ResourceType>(
  objects: ReadonlyMap<string, NomadObject>,
  type: Type,
): NomadStub<Type>[] {
  // Resource and stub belong together; TypeScript does not follow that through a union.
  return [...objects.values()]
    .filter(({ resource }) => resource.type === type)
    .map(({ stub }) => stub as NomadStub<Type>);
}

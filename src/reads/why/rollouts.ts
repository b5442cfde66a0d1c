import { numberOf, textOf } from "../../alerts/model/stub.ts";
import { named, type Facts, type ObjectFact } from "./facts.ts";
import type { Link } from "./links.ts";

/** The deployment that an allocation belongs to: neither stub names the other, but both name a version of the job. */
export function deploymentOf(object: ObjectFact, objects: Facts["objects"]): Link[] {
  if (object.ref.resource !== "allocations") return [];
  const found = [...objects.values()].filter((other) => isRolloutOf(other, object));
  return found.map(({ ref }) => ({
    from: ref,
    to: object.ref,
    relation: "rolled-out",
    words: `${named(ref)} brought version ${numberOf(object.stub, "JobVersion")}, which ${named(object.ref)} is of`,
  }));
}

/** Whether a deployment is of the same version of the same job as an allocation. */
export function isRolloutOf(
  deployment: Pick<ObjectFact, "ref" | "stub">,
  allocation: Pick<ObjectFact, "ref" | "stub">,
): boolean {
  return (
    deployment.ref.resource === "deployments" &&
    deployment.ref.namespace === allocation.ref.namespace &&
    textOf(deployment.stub, "JobID") === textOf(allocation.stub, "JobID") &&
    numberOf(deployment.stub, "JobVersion") === numberOf(allocation.stub, "JobVersion")
  );
}

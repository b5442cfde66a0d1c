import type { FastifyInstance } from "fastify";
import { maySeeScope, seesAll, type Access } from "../publishers/selection/access.ts";
import { deliveryOf, type AssignmentStatus } from "../schemas/assignment-schema.ts";
import { parseScopeName } from "../schemas/scope.ts";
import type { Principals } from "./access/principals.ts";

export interface AssignmentsDeps {
  /** Every assignment of the feed, whichever process does it. */
  readonly assignments: () => Promise<readonly AssignmentStatus[]>;
  readonly principals: Pick<Principals, "accessOf">;
}

/** Who does what, since when, and how it goes; of scopes, those that the request may see. */
export function addAssignmentsRoute(
  app: FastifyInstance,
  { assignments, principals }: AssignmentsDeps,
): void {
  app.get("/v1/assignments", async (request, reply) => {
    const access = await principals.accessOf(request.raw);
    return reply
      .header("cache-control", "no-store")
      .send({ assignments: visible(await assignments(), access) });
  });
}

function visible(assignments: readonly AssignmentStatus[], access: Access): readonly AssignmentStatus[] {
  if (seesAll(access)) return assignments;
  return assignments.flatMap((status) => {
    // Where events go is the business of who manages the feed.
    if (deliveryOf(status.assignment) !== undefined) return [];
    // The reason of an assignment for the whole feed may name any namespace, and what it counts is all of them.
    if (parseScopeName(status.assignment) === undefined)
      return [{ ...status, reason: null, index: null, objects: null }];
    return maySeeScope(access, status.assignment) ? [status] : [];
  });
}

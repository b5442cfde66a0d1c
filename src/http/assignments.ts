import type { FastifyInstance } from "fastify";
import { maySeeScope, seesAll, type Access } from "../publishers/selection/access.ts";
import type { Subscriptions } from "../publishers/fanout/subscriptions.ts";
import { deliveryOf, type AssignmentStatus, type StreamsStatus } from "../schemas/assignment-schema.ts";
import { parseScopeName } from "../schemas/scope.ts";
import type { Principals } from "./access/principals.ts";

export interface AssignmentsDeps {
  /** Every assignment of the feed, whichever process does it. */
  readonly assignments: () => Promise<readonly AssignmentStatus[]>;
  readonly subscriptions: Pick<Subscriptions, "counts">;
  readonly principals: Pick<Principals, "accessOf">;
}

/** Who does what, since when, and how it goes; of scopes, those that the request may see. */
export function addAssignmentsRoute(
  app: FastifyInstance,
  { assignments, subscriptions, principals }: AssignmentsDeps,
): void {
  app.get("/v1/assignments", async (request, reply) => {
    const access = await principals.accessOf(request.raw);
    const answer = {
      assignments: visible(await assignments(), access),
      // How many read is not for who sees a part.
      ...(seesAll(access) && { streams: streamsOf(subscriptions.counts()) }),
    };
    return reply.header("cache-control", "no-store").send(answer);
  });
}

function streamsOf(counts: ReturnType<Subscriptions["counts"]>): StreamsStatus[] {
  return [...counts].map(([format, open]) => ({ format, open }));
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

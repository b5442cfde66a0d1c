import type { FastifyInstance } from "fastify";
import { maySeeScope, seesAll, type Access } from "../publishers/selection/access.ts";
import type { DutyStatus } from "../schemas/duty-schema.ts";
import { parseScopeName } from "../schemas/scope.ts";
import type { Gate } from "./access/gate.ts";

export interface DutiesDeps {
  /** Every duty of the feed, whichever process does it. */
  readonly duties: () => Promise<readonly DutyStatus[]>;
}

/** Who does what, since when, and how it goes; of scopes, those that the request may see. */
export function addDutiesRoute(app: FastifyInstance, { duties, gate }: DutiesDeps & { gate: Gate }): void {
  app.get("/v1/duties", async (request, reply) => {
    const access = await gate.accessOf(request.raw);
    return reply.header("cache-control", "no-store").send({ duties: visible(await duties(), access) });
  });
}

function visible(duties: readonly DutyStatus[], access: Access): readonly DutyStatus[] {
  if (seesAll(access)) return duties;
  return duties.flatMap((status) => {
    // The reason of a duty for the whole feed may name any namespace, and what it counts is all of them.
    if (parseScopeName(status.duty) === undefined)
      return [{ ...status, reason: null, index: null, objects: null }];
    return maySeeScope(access, status.duty) ? [status] : [];
  });
}

import type { FastifyInstance } from "fastify";
import { maySeeScope, seesAll, type Access } from "../publishers/selection/access.ts";
import type { AlertJson, AlertList } from "../schemas/alert-schema.ts";
import type { Principals } from "./access/principals.ts";

export interface AlertsDeps {
  /** What fires, whichever worker looks after it. */
  readonly alerts: () => Promise<AlertList>;
  readonly principals: Pick<Principals, "accessOf">;
}

/** What fires and what ended lately, of what the request may see. */
export function addAlertsRoute(app: FastifyInstance, { alerts, principals }: AlertsDeps): void {
  app.get("/v1/alerts", async (request, reply) => {
    const access = await principals.accessOf(request.raw);
    const { asOf, alerts: open, ended, destinations } = await alerts();
    const isSeen = (alert: AlertJson) => maySeeAlert(access, alert);
    return reply.header("cache-control", "no-store").send({
      asOf,
      alerts: open.filter(isSeen),
      ended: ended.filter(isSeen),
      destinations: seesAll(access) ? destinations : [],
    });
  });
}

/** Who may list what an alert is about may see it. */
function maySeeAlert(access: Access, { labels }: AlertJson): boolean {
  const { namespace, group, scope } = labels;
  if (scope !== undefined) return maySeeScope(access, scope);
  if (namespace === undefined) return access.maySee({ resource: "nodes", namespace: "-", key: null });
  const resources = group === undefined ? ["jobs"] : ["jobs", "allocations"];
  return resources.every((resource) => access.maySee({ resource, namespace, key: null }));
}

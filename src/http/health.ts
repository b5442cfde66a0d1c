import type { FastifyInstance } from "fastify";
import { maySeeScope, seesAll } from "../publishers/selection/access.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { OpenableRoute } from "./access/gate.ts";
import type { Principals } from "./access/principals.ts";
import { Forbidden } from "./errors.ts";

/** Whether the process does its work: its loops moved recently. `details` is shown as it is. */
export interface LivenessReport {
  readonly alive: boolean;
  readonly details?: object;
}

/** Whether every scope has been read at least once. */
export interface ReadinessReport {
  readonly ready: boolean;
  /** Scopes without a baseline, as `jobs/default`, and what keeps each from it. */
  readonly waiting: readonly { readonly scope: string; readonly why: string }[];
}

export interface HealthDeps {
  readonly liveness: () => LivenessReport | Promise<LivenessReport>;
  readonly readiness: () => ReadinessReport | Promise<ReadinessReport>;
  readonly metrics: Pick<Metrics, "registry">;
  /** Brings up to date what metrics say only where they are asked for. */
  readonly observe: () => Promise<void>;
  readonly isStopping: () => boolean;
  readonly principals: Pick<Principals, "accessOf" | "authRequired">;
  /** What answers without a token too, and then names no scope. */
  readonly openRoutes: readonly OpenableRoute[];
}

export function addHealthRoutes(app: FastifyInstance, deps: HealthDeps): void {
  app.get("/healthz", async (_request, reply) => {
    const { alive, details } = await deps.liveness();
    // Needs no token, so it says no more where others do.
    return reply
      .code(alive ? 200 : 503)
      .send(deps.principals.authRequired ? { alive } : { alive, ...details });
  });
  app.get("/readyz", async (request, reply) => {
    if (deps.isStopping()) return reply.code(503).send({ ready: false, why: "the server is stopping" });
    const { ready, waiting } = await deps.readiness();
    if (ready) return reply.send({ ready });
    reply.code(503);
    if (deps.openRoutes.includes("readyz") && deps.principals.authRequired) return reply.send({ ready });
    const access = await deps.principals.accessOf(request.raw);
    return reply.send({ ready, waiting: waiting.filter(({ scope }) => maySeeScope(access, scope)) });
  });
  app.get("/metrics", async (request, reply) => {
    if (!deps.openRoutes.includes("metrics") && !seesAll(await deps.principals.accessOf(request.raw))) {
      throw new Forbidden("Metrics name every namespace, and this token may not see them all", {
        hint: "Use a token that may list everything, or open the route with --open-routes metrics",
      });
    }
    await deps.observe();
    return reply.type(deps.metrics.registry.contentType).send(await deps.metrics.registry.metrics());
  });
}

import type { FastifyInstance } from "fastify";
import type { Metrics } from "../telemetry/metrics.ts";

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
  readonly isStopping: () => boolean;
}

export function addHealthRoutes(app: FastifyInstance, deps: HealthDeps): void {
  app.get("/healthz", async (_request, reply) => {
    const { alive, details } = await deps.liveness();
    return reply.code(alive ? 200 : 503).send({ alive, ...details });
  });
  app.get("/readyz", async (_request, reply) => {
    if (deps.isStopping()) return reply.code(503).send({ ready: false, why: "the server is stopping" });
    const { ready, waiting } = await deps.readiness();
    return reply.code(ready ? 200 : 503).send(ready ? { ready } : { ready, waiting });
  });
  app.get("/metrics", async (_request, reply) =>
    reply.type(deps.metrics.registry.contentType).send(await deps.metrics.registry.metrics()),
  );
}

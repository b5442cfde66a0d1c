import type { IncomingMessage } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Gate } from "./gate.ts";

/** Routes that can be opened to those without a token. */
export type OpenableRoute = "metrics" | "readyz";

/** What each request must pass before a route sees it: origin, limits, and a token unless the route needs none. */
export function createAdmission(options: {
  readonly gate: Gate;
  /** @throws Forbidden */
  readonly assertMayAsk: (request: IncomingMessage) => void;
  readonly openRoutes: readonly OpenableRoute[];
}): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const { gate, assertMayAsk } = options;
  const open = new Set<string | undefined>(["/healthz", ...options.openRoutes.map((name) => `/${name}`)]);
  return async (request, reply) => {
    const { raw } = request;
    gate.origins.assertAllowed(raw);
    gate.origins.allowReading(raw, reply.raw);
    gate.limits.assertWithin(raw);
    assertMayAsk(raw);
    if (raw.method === "OPTIONS" && raw.headers["access-control-request-method"] !== undefined) {
      gate.origins.answerPreflight(reply.raw);
      await reply.code(204).send();
      return;
    }
    if (!open.has(request.routeOptions.url)) await gate.accessOf(raw);
  };
}

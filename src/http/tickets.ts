import type { FastifyInstance } from "fastify";
import type { Gate } from "./access/gate.ts";

/** A ticket for browsers, which cannot send headers with a WebSocket or an EventSource. */
export function addTicketsRoute(app: FastifyInstance, gate: Gate): void {
  // A scope of its own: what is sent along is not read, whatever it is.
  void app.register(async (scope) => {
    scope.addContentTypeParser("*", (_request, _payload, done) => done(null, undefined));
    scope.post("/v1/tickets", async (request, reply) => {
      const { ticket, expiresAtMs } = await gate.ticketFor(request.raw);
      return reply
        .header("cache-control", "no-store")
        .send({ ticket, expiresAt: new Date(expiresAtMs).toISOString() });
    });
  });
}

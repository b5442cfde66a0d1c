import type { FastifyInstance } from "fastify";
import type { Principals } from "./access/principals.ts";

interface TicketsDeps {
  readonly principals: Pick<Principals, "ticketFor">;
}

/** A ticket for browsers, which cannot send headers with a WebSocket or an EventSource. */
export function addTicketsRoute(app: FastifyInstance, { principals }: TicketsDeps): void {
  // A scope of its own: what is sent along is not read, whatever it is.
  void app.register(async (scope) => {
    scope.addContentTypeParser("*", (_request, _payload, done) => done(null, undefined));
    scope.post("/v1/tickets", async (request, reply) => {
      const { ticket, expiresAtMs } = await principals.ticketFor(request.raw);
      return reply
        .header("cache-control", "no-store")
        .send({ ticket, expiresAt: new Date(expiresAtMs).toISOString() });
    });
  });
}

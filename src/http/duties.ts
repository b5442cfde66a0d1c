import type { FastifyInstance } from "fastify";
import type { DutyStatus } from "../schemas/duty-schema.ts";

export interface DutiesDeps {
  /** Every duty of the feed, whichever process does it. */
  readonly duties: () => Promise<readonly DutyStatus[]>;
}

/** Who does what, since when, and how it goes. */
export function addDutiesRoute(app: FastifyInstance, { duties }: DutiesDeps): void {
  app.get("/v1/duties", async (_request, reply) =>
    reply.header("cache-control", "no-store").send({ duties: await duties() }),
  );
}

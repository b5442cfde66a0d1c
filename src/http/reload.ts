import type { FastifyInstance } from "fastify";
import type { ReloadReport } from "../schemas/reload-schema.ts";
import { assertKnown } from "../schemas/subscription-schema.ts";
import type { Principals } from "./access/principals.ts";
import { assertManages } from "./managing.ts";
import { requestUrl } from "./request-url.ts";

export interface ReloadDeps {
  /** Applies the configuration file anew; `by`: who asked for it. @throws ReloadRefused */
  readonly reload: (by: string) => ReloadReport;
  readonly principals: Pick<Principals, "actorOf" | "authRequired">;
}

/** The configuration file of this process, read again: for whom the whole feed is. */
export function addReloadRoute(app: FastifyInstance, { reload, principals }: ReloadDeps): void {
  // A scope of its own: what is sent along is not read, whatever it is.
  void app.register(async (scope) => {
    scope.addContentTypeParser("*", (_request, _payload, done) => done(null, undefined));
    scope.post("/v1/reload", async ({ raw }, reply) => {
      await assertManages(principals, raw);
      assertKnown(requestUrl(raw).searchParams, []);
      const { owner } = await principals.actorOf(raw);
      return reply.header("cache-control", "no-store").send(reload(owner ?? "POST /v1/reload"));
    });
  });
}

import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Matchers, Silence } from "../schemas/routes.ts";
import { SEVERITY_NAMES } from "../schemas/severity.ts";
import { assertKnown, InvalidParameter, oneOf, single } from "../schemas/subscription-schema.ts";
import { duration } from "../schemas/value-types.ts";
import type { Principals } from "./access/principals.ts";
import { assertManages } from "./managing.ts";
import { requestUrl } from "./request-url.ts";

/** What people do with silences, whichever worker they are with: see `Silences`. */
export interface SilenceKeeping {
  list(): Promise<Silence[]>;
  add(silence: { matchers: Matchers; forMs: number; comment: string; createdBy: string }): Promise<Silence>;
  end(id: string, by: string): Promise<Silence>;
}

interface SilencesDeps {
  readonly silences: SilenceKeeping;
  readonly principals: Pick<Principals, "actorOf" | "authRequired">;
}

const PARAMETERS = ["filter", "rules", "minSeverity", "for", "comment"];
const FOR = duration({ minMs: 1000, maxMs: 365 * 86_400_000 });
/** Of a filter, a list of rules, or a comment: all silences are kept in one document. */
const MAX_LENGTH = 1000;

/** Which alerts people are not told of for a while: for whom the whole feed is. */
export function addSilencesRoutes(app: FastifyInstance, { silences, principals }: SilencesDeps): void {
  // Whatever comes as a body is not read: the query says it all.
  app.register(async (routes) => {
    routes.addContentTypeParser("*", (_request, _payload, done) => done(null));
    routes.addHook("onRequest", async ({ raw }) => assertManages(principals, raw));
    routes.addHook("onSend", async (_request, reply) => void reply.header("cache-control", "no-store"));
    const actor = async ({ raw }: FastifyRequest) =>
      (await principals.actorOf(raw)).owner ?? "a client on the server's machine";

    routes.get("/v1/silences", async ({ raw }) => {
      assertKnown(requestUrl(raw).searchParams, []);
      return { silences: await silences.list() };
    });
    routes.post("/v1/silences", async (request) => {
      const { searchParams } = requestUrl(request.raw);
      assertKnown(searchParams, PARAMETERS);
      const matchers = matchersIn(searchParams);
      const forMs = durationIn(searchParams);
      const comment = shortText(searchParams, "comment") ?? "";
      return silences.add({ matchers, forMs, comment, createdBy: await actor(request) });
    });
    routes.delete("/v1/silences/:id", async (request: FastifyRequest<{ Params: { id: string } }>) => {
      assertKnown(requestUrl(request.raw).searchParams, []);
      return silences.end(request.params.id, await actor(request));
    });
  });
}

function matchersIn(query: URLSearchParams): Matchers {
  const filter = shortText(query, "filter");
  const rules = shortText(query, "rules")
    ?.split(",")
    .map((rule) => rule.trim())
    .filter((rule) => rule !== "");
  const minSeverity = oneOf(query, "minSeverity", SEVERITY_NAMES);
  const matchers = { filter, rules: rules?.length === 0 ? undefined : rules, minSeverity };
  if (Object.values(matchers).every((matcher) => matcher === undefined)) {
    throw new InvalidParameter("Say which alerts to silence", "filter", [
      "filter=<expression>, rules=<rules>, minSeverity=<severity>; rules=* for all",
    ]);
  }
  return matchers;
}

function durationIn(query: URLSearchParams): number {
  const given = single(query, "for");
  const parsed = FOR.schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const what =
    given === undefined
      ? "Say for how long"
      : `${JSON.stringify(given.slice(0, 100))} is too short, too long or no duration`;
  throw new InvalidParameter(what, "for", [FOR.allowed]);
}

function shortText(query: URLSearchParams, field: string): string | undefined {
  const text = single(query, field)?.trim();
  if (text === undefined || text === "") return undefined;
  if (text.length <= MAX_LENGTH) return text;
  throw new InvalidParameter(`${field} is too long`, field, [`${MAX_LENGTH} characters at most`]);
}

import type { IncomingMessage } from "node:http";
import type { FastifyInstance } from "fastify";
import type { FeedLog } from "../feed/log.ts";
import { seesAll, type Access } from "../publishers/selection/access.ts";
import type { SessionAnswer } from "../schemas/session-schema.ts";
import { assertKnown, InvalidParameter, single } from "../schemas/subscription-schema.ts";
import { duration } from "../schemas/value-types.ts";
import { Unauthorized } from "./access/errors.ts";
import { assertNotOfOthers, assertOwnPage } from "./access/own-page.ts";
import type { Principals } from "./access/principals.ts";
import type { Sessions } from "./access/sessions.ts";
import { mayManage } from "./managing.ts";
import { requestUrl } from "./request-url.ts";

interface SessionDeps {
  readonly log: Pick<FeedLog, "filled">;
  readonly principals: Pick<Principals, "accessOf" | "actorOf" | "authRequired" | "ownTokenOf" | "hasToken">;
  readonly sessions: Sessions;
}

const PATH = "/v1/session";
const REMEMBER = duration({ minMs: 60_000, maxMs: 90 * 86_400_000 });
const REMEMBERED_MS = 30 * 86_400_000;
const ANSWERED_WITHOUT_TOKEN = { config: { needsNoToken: () => true } };

/** How a page signs in with a token that it then need not keep, learns who it is, and signs out. */
export function addSessionRoutes(app: FastifyInstance, deps: SessionDeps): void {
  const { principals, sessions } = deps;
  // What is sent along is not read, whatever it is.
  void app.register(async (routes) => {
    routes.addContentTypeParser("*", (_request, _payload, done) => done(null));
    routes.addHook("onSend", async (_request, reply) => void reply.header("cache-control", "no-store"));

    routes.get(PATH, ANSWERED_WITHOUT_TOKEN, async ({ raw }) => {
      assertKnown(requestUrl(raw).searchParams, []);
      return sessionOf(deps, raw);
    });
    routes.post(PATH, async ({ raw }, reply) => {
      // A page of another origin could sign people in as somebody else.
      assertNotOfOthers(raw);
      const rememberMs = rememberIn(requestUrl(raw).searchParams);
      if (principals.authRequired) {
        const token = await principals.ownTokenOf(raw);
        if (token === undefined) throw new Unauthorized("The token to sign in with is needed here");
        reply.header("set-cookie", await sessions.begin(raw, token, rememberMs));
      }
      return sessionOf(deps, raw);
    });
    routes.delete(PATH, ANSWERED_WITHOUT_TOKEN, async ({ raw }, reply) => {
      assertOwnPage(raw);
      assertKnown(requestUrl(raw).searchParams, []);
      return reply.header("set-cookie", sessions.end(raw)).code(204).send();
    });
  });
}

function rememberIn(query: URLSearchParams): number | undefined {
  assertKnown(query, ["remember"]);
  const given = single(query, "remember") ?? "false";
  if (given === "false") return undefined;
  if (given === "true") return REMEMBERED_MS;
  const parsed = REMEMBER.schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new InvalidParameter("The session cannot last so long, or so short", "remember", [
    "true",
    "false",
    REMEMBER.allowed,
  ]);
}

/** @throws Forbidden, AuthUnavailable, LogUnavailable; not that the token is missing or not good */
async function sessionOf(deps: SessionDeps, request: IncomingMessage): Promise<SessionAnswer> {
  const { principals } = deps;
  const auth = principals.authRequired ? "token" : "none";
  try {
    const access = await principals.accessOf(request);
    return {
      auth,
      signedIn: principals.authRequired && (await principals.hasToken(request)),
      who: auth === "none" ? null : access.name,
      management: await mayManage(principals, request),
      seesAll: seesAll(access),
      namespaces: seesAll(access) ? null : await namespacesOf(deps, access),
    };
  } catch (error) {
    if (!(error instanceof Unauthorized)) throw error;
    return { auth, signedIn: false, who: null, management: false, seesAll: false, namespaces: null };
  }
}

async function namespacesOf({ log }: SessionDeps, access: Access): Promise<string[]> {
  const seen = (await log.filled()).filter(
    ({ resource, namespace }) => namespace !== "-" && access.maySee({ resource, namespace, key: null }),
  );
  return [...new Set(seen.map(({ namespace }) => namespace))].toSorted();
}

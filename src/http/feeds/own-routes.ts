import type { IncomingMessage, ServerResponse } from "node:http";
import { jsonText } from "../../schemas/line-safe.ts";
import type { FeedsReloadReport } from "../../schemas/reload-schema.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { prefersHtml } from "../accepted.ts";
import { HEADERS } from "../console/answer.ts";
import { MethodNotAllowed, NotFound, UpgradeLost } from "../errors.ts";
import { assertKnown } from "../../schemas/subscription-schema.ts";
import { requestUrl } from "../request-url.ts";
import { notOpen } from "../waiting-room.ts";
import { EVENTS_PATH } from "../events.ts";
import type { FeedMount } from "./feed-mount.ts";
import { mergeMetrics } from "./merge-metrics.ts";
import { answerMerged } from "./merged/events.ts";
import type { Answer } from "./mount.ts";
import type { MountedFeeds } from "./mounted-feeds.ts";
import { overviewOf } from "./overview.ts";
import { feedsPage, type ShownFeed } from "./page.ts";
import { FEEDS_PATH } from "./paths.ts";

/** Answers to those alone who manage the whole feed. */
const MANAGERS_ONLY = "/v1/deliveries";
const RELOAD_PATH = "/v1/reload";

/** What is about all feeds of a process. */
export const FRONT_ROUTES = [
  "GET /",
  "GET /v1/events",
  `GET ${FEEDS_PATH}`,
  `GET ${FEEDS_PATH}/<name>/`,
  `GET ${FEEDS_PATH}/<name>/events`,
  "GET /healthz",
  "GET /readyz",
  "GET /metrics",
  `POST ${RELOAD_PATH}`,
] as const;

export interface OwnRoutesDeps {
  readonly feeds: MountedFeeds;
  readonly metrics: Pick<Metrics, "registry">;
  readonly console: boolean;
  readonly clock: Clock;
  /** Aborts when the process stops. */
  readonly stopping: AbortSignal;
  /** Whether a feed asks who they are. */
  readonly authRequired?: boolean;
  readonly reload: (by: string) => FeedsReloadReport;
}

type Asked = (feed: FeedMount) => Promise<Answer | undefined>;

/**
 * Answers from what the feeds answer to the same person: each of them decides what that may see.
 * @throws NotFound, MethodNotAllowed
 */
export async function answerOwn(
  message: IncomingMessage,
  response: ServerResponse,
  deps: OwnRoutesDeps,
): Promise<void> {
  const { method = "GET" } = message;
  const path = message.url?.split("?", 1)[0] ?? "/";
  if (path === EVENTS_PATH) {
    if (method !== "GET") throw new MethodNotAllowed(method, ["GET"]);
    if ("sec-websocket-key" in message.headers) throw new UpgradeLost();
    await answerMerged(message, response, deps);
    return;
  }
  const answer = ANSWERS.get(path);
  if (answer === undefined) {
    throw new NotFound(method, path, {
      allowed: FRONT_ROUTES,
      hint: `This process serves several feeds, each below ${FEEDS_PATH}/<name>/; GET ${FEEDS_PATH} lists them`,
    });
  }
  const allowed = path === RELOAD_PATH ? ["POST"] : ["GET", "HEAD"];
  if (!allowed.includes(method)) throw new MethodNotAllowed(method, allowed.slice(0, 1));
  const { status, headers, body } = await answer(message, deps);
  response.writeHead(status, { "cache-control": "no-store", ...headers }).end(body);
}

type OwnAnswer = (message: IncomingMessage, deps: OwnRoutesDeps) => Promise<Answer>;
const ANSWERS: ReadonlyMap<string, OwnAnswer> = new Map([
  ["/", index],
  [FEEDS_PATH, list],
  ["/healthz", health],
  ["/readyz", readiness],
  ["/metrics", metrics],
  [RELOAD_PATH, reload],
]);

async function index(message: IncomingMessage, deps: OwnRoutesDeps): Promise<Answer> {
  if (deps.console && prefersHtml(message.headers.accept ?? "")) {
    const headers = { ...HEADERS, "content-type": "text/html; charset=utf-8", vary: "Accept" };
    const shown = await Promise.all(
      deps.feeds.all().map(async (feed): Promise<ShownFeed> => {
        const overview = await overviewOf(feed, message);
        return "status" in overview ? { name: feed.name } : overview;
      }),
    );
    return { status: 200, headers, body: feedsPage(shown) };
  }
  return list(message, deps);
}

/** Those that let in whoever asks; the first refusal where none does. */
async function list(message: IncomingMessage, { feeds }: OwnRoutesDeps): Promise<Answer> {
  const found = await Promise.all(feeds.all().map((feed) => overviewOf(feed, message)));
  const refusals = found.filter((one) => "status" in one);
  const [refusal] = refusals;
  if (refusal !== undefined && refusals.length === found.length) return passedOn(refusal);
  const shown = found.filter((one) => !("status" in one));
  return json(200, { name: "nomad-changefeed", feeds: shown, routes: FRONT_ROUTES });
}

/** A new start of the process cures what stands still, and loses nothing of the others. */
async function health(message: IncomingMessage, { feeds, authRequired }: OwnRoutesDeps): Promise<Answer> {
  const answers = await answersOf(feeds, (feed) => feed.ask("/healthz", message));
  const isAlive = answers.every(({ answer }) => answer === undefined || answer.status === 200);
  const shown = byName(answers, (answer) => bodyOf(answer) ?? { alive: true });
  return json(
    isAlive ? 200 : 503,
    authRequired === true ? { alive: isAlive } : { alive: isAlive, feeds: shown },
  );
}

/** Ready as soon as one feed is: one that is down must not keep those of the others away. */
async function readiness(message: IncomingMessage, { feeds }: OwnRoutesDeps): Promise<Answer> {
  const answers = await answersOf(feeds, (feed) => feed.ask("/readyz", message));
  const refusal = answers.find(({ answer }) => isRefusal(answer))?.answer;
  const seen = answers.filter(({ answer }) => !isRefusal(answer));
  if (refusal !== undefined && seen.every(({ answer }) => answer === undefined)) return passedOn(refusal);
  const isReady = seen.some(({ answer }) => answer?.status === 200);
  const shown = byName(seen, (answer, feed) => bodyOf(answer) ?? { ready: false, why: feed.awaited });
  return json(isReady ? 200 : 503, { ready: isReady, feeds: shown });
}

async function metrics(message: IncomingMessage, deps: OwnRoutesDeps): Promise<Answer> {
  const { registry } = deps.metrics;
  const answers = await answersOf(deps.feeds, (feed) => feed.ask("/metrics", message));
  const refusal = answers.find(({ answer }) => isRefusal(answer))?.answer;
  const seen = answers.filter(({ answer }) => !isRefusal(answer));
  if (refusal !== undefined && seen.every(({ answer }) => answer === undefined)) return passedOn(refusal);
  const pages = new Map(
    seen.map(({ feed, answer }) => [feed.name, answer?.status === 200 ? answer.body : undefined]),
  );
  const headers = { "content-type": registry.contentType };
  return { status: 200, headers, body: mergeMetrics(await registry.metrics(), pages) };
}

/** For whom all feeds are: of each, what only those may see is asked for. One that does not answer refuses nobody. */
async function reload(message: IncomingMessage, { feeds, reload: apply }: OwnRoutesDeps): Promise<Answer> {
  assertKnown(requestUrl(message).searchParams, []);
  const answers = await answersOf(feeds, (feed) => feed.ask(MANAGERS_ONLY, message));
  const refusal = answers.find(({ answer }) => isRefusal(answer))?.answer;
  if (refusal !== undefined) return passedOn(refusal);
  if (answers.every(({ answer }) => answer?.status !== 200))
    return notOpen("no feed is served yet that could say who you are");
  return json(200, apply(`POST ${RELOAD_PATH}`));
}

interface Told {
  readonly feed: FeedMount;
  /** Undefined: it is not served, or does not answer. */
  readonly answer: Answer | undefined;
}

async function answersOf(feeds: OwnRoutesDeps["feeds"], ask: Asked): Promise<Told[]> {
  return Promise.all(feeds.all().map(async (feed) => ({ feed, answer: await ask(feed) })));
}

function isRefusal(answer: Answer | undefined): boolean {
  return answer !== undefined && answer.status >= 400 && answer.status < 500;
}

function byName(
  told: readonly Told[],
  show: (answer: Answer | undefined, feed: FeedMount) => unknown,
): object {
  return Object.fromEntries(told.map(({ feed, answer }) => [feed.name, show(answer, feed)]));
}

function bodyOf(answer: Answer | undefined): unknown {
  return answer === undefined ? undefined : (JSON.parse(answer.body) as unknown);
}

function passedOn({ status, headers, body }: Answer): Answer {
  const { "content-type": type, "www-authenticate": challenge, "retry-after": later } = headers;
  return {
    status,
    headers: {
      ...(type !== undefined && { "content-type": type }),
      ...(challenge !== undefined && { "www-authenticate": challenge }),
      ...(later !== undefined && { "retry-after": later }),
    },
    body,
  };
}

function json(status: number, value: object): Answer {
  return {
    status,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: `${jsonText(value, 2)}\n`,
  };
}

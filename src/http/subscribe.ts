import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { FeedLog } from "../feed/log.ts";
import type { Access } from "../publishers/selection/access.ts";
import { GoingAway } from "../publishers/connection/errors.ts";
import { compileFilter } from "../publishers/selection/filter-expression.ts";
import { ConnectionFrames } from "../publishers/connection/frames.ts";
import { snapshotPrelude } from "../publishers/state/snapshot.ts";
import { resolveStart, type StartPoint } from "../publishers/connection/start.ts";
import type { Prelude } from "../publishers/fanout/subscriber.ts";
import type { Subscriptions } from "../publishers/fanout/subscriptions.ts";
import type { ReadScheduler } from "../publishers/work/read-scheduler.ts";
import { parseSubscription, type Format, type Subscription } from "../schemas/subscription-schema.ts";
import type { Logger } from "../telemetry/logger.ts";
import { OwnConsumers, type ConsumerLimits } from "./own-consumers.ts";
import type { StatePlaces } from "./state-places.ts";
import type { UnreadAnswers } from "./unread-answers.ts";
import { goneSignal } from "./gone.ts";
import type { AccessLog } from "./access/access-log.ts";
import { TICKET_PARAMETER } from "./access/credentials.ts";
import type { Gate } from "./access/gate.ts";
import { urlOf } from "./request-url.ts";

export interface SubscribeDeps {
  readonly log: FeedLog;
  readonly logger: Logger;
  /** nomad://<cluster>/<region> */
  readonly source: string;
  /** Names of all signals there are, for `signals=`. */
  readonly signals: readonly string[];
  readonly subscriptions: Subscriptions;
  readonly nowMs: () => number;
  readonly pingIntervalMs: number;
  readonly isStopping: () => boolean;
  /** @throws Forbidden */
  readonly assertMayAsk: (request: IncomingMessage) => void;
  /** Who asks, and what they may see. @throws Unauthorized, Forbidden, AuthUnavailable */
  readonly accessOf: (request: IncomingMessage) => Promise<Access>;
  readonly gate: Gate;
  /** Where requests that read much wait for their turn. */
  readonly reads: ReadScheduler;
  readonly statePlaces: StatePlaces;
  readonly unread: UnreadAnswers;
  readonly accessLog: AccessLog;
  /** How many names of consumers there may be. */
  readonly consumerLimits: ConsumerLimits;
}

export interface Admitted {
  readonly connectionId: string;
  readonly subscription: Subscription;
  readonly start: StartPoint;
  readonly frames: ConnectionFrames;
  readonly access: Access;
  readonly consumers: OwnConsumers;
  readonly prelude?: Prelude;
}

/** Reads a request for events and finds where it starts. Whatever is wrong with it is thrown from here. */
export async function admit(
  deps: SubscribeDeps,
  request: IncomingMessage,
  format: Format,
): Promise<Admitted> {
  if (deps.isStopping()) throw new GoingAway();
  const lastEventId = format === "sse" ? request.headers["last-event-id"] : undefined;
  const subscription = parseSubscription(requestUrl(request).searchParams, {
    format,
    nowMs: deps.nowMs(),
    signals: deps.signals,
    compileFilter,
    ...(typeof lastEventId === "string" && { lastEventId }),
  });
  if (format !== "page") {
    if (subscription.consumer !== undefined) deps.gate.origins.assertMayWrite(request);
    await deps.gate.takePlace(request);
  }
  const access = await deps.accessOf(request);
  const consumers = await ownConsumers(deps, request);
  const start = await startOf(deps.log, { consumers, subscription, format });
  // The server may have begun to stop while the log was read.
  if (deps.isStopping()) throw new GoingAway();
  const connectionId = randomUUID();
  const frames = connectionFrames(deps, connectionId);
  const admitted = { connectionId, subscription, start, frames, access, consumers };
  if (start.snapshot !== true) return admitted;
  const { log, source, nowMs } = deps;
  const objects = { ...subscription, access, source, nowMs };
  const prelude = snapshotPrelude({
    log,
    frames,
    start,
    objects,
    beginReading: () => deps.reads.begin(goneSignal(request.socket)),
  });
  const release = deps.statePlaces.take(request, access);
  return { ...admitted, prelude: (write) => prelude(write).finally(release) };
}

/**
 * A consumer that is new is remembered from where it starts, so that it loses nothing before its first ack.
 * @throws ConsumerTaken, ConsumersFull
 */
async function startOf(
  log: FeedLog,
  options: { consumers: OwnConsumers; subscription: Subscription; format: Format },
): Promise<StartPoint> {
  const { consumers, format } = options;
  const { start, onExpired, consumer } = options.subscription;
  if (consumer === undefined) return resolveStart(log, start, onExpired);
  const stored = await consumers.get(consumer);
  if (stored !== undefined) {
    if (format !== "page") await consumers.take(stored);
    return resolveStart(log, { kind: "cursor", cursor: stored.cursor }, onExpired);
  }
  const point = await resolveStart(log, start, onExpired);
  if (format !== "page" && point.snapshot !== true) await consumers.put(consumer, point.cursor);
  return point;
}

/** The consumers as the request may use them. @throws Unauthorized, Forbidden, AuthUnavailable */
export async function ownConsumers(
  { log, gate, consumerLimits }: Pick<SubscribeDeps, "log" | "gate" | "consumerLimits">,
  request: IncomingMessage,
): Promise<OwnConsumers> {
  return new OwnConsumers(log.consumers, await gate.actorOf(request), consumerLimits);
}

export function connectionFrames(
  { source, nowMs }: Pick<SubscribeDeps, "source" | "nowMs">,
  connectionId: string = randomUUID(),
): ConnectionFrames {
  return new ConnectionFrames({ source, connectionId, nowMs });
}

/** Without the ticket, which is nobody's business but the gate's. */
export function requestUrl(request: IncomingMessage): URL {
  const url = urlOf(request);
  url.searchParams.delete(TICKET_PARAMETER);
  return url;
}

import type { Clock } from "../shared/clock.ts";
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { FeedLog } from "../feed/log.ts";
import type { Access } from "../publishers/selection/access.ts";
import { GoingAway } from "../publishers/connection/errors.ts";
import { compileFilter } from "../publishers/selection/filter-expression.ts";
import type { ConnectionFrames } from "../publishers/connection/frames.ts";
import { snapshotPrelude } from "../publishers/state/snapshot.ts";
import { resolveStart, type StartPoint } from "../publishers/connection/start.ts";
import { startBefore } from "../publishers/pages/newest-first.ts";
import type { Prelude } from "../publishers/fanout/subscriber.ts";
import type { OpenSubscription, Subscriptions } from "../publishers/fanout/subscriptions.ts";
import type { ReadScheduler } from "../publishers/work/read-scheduler.ts";
import { parseSubscription, type Format, type Subscription } from "../schemas/subscription-schema.ts";
import { connectionFrames } from "./connection-frames.ts";
import { ownConsumers, type OwnConsumers, type OwnConsumersDeps } from "./own-consumers.ts";
import type { StatePlaces } from "./state-places.ts";
import { goneSignal } from "./gone.ts";
import type { AccessLog } from "./access/access-log.ts";
import type { Origins } from "./access/origins.ts";
import type { Principals } from "./access/principals.ts";
import { requestUrl } from "./request-url.ts";

/** What it takes to admit a request for events. */
interface AdmitDeps extends OwnConsumersDeps {
  /** nomad://<cluster>/<region> */
  readonly source: string;
  /** Names of all signals there are, for `signals=`. */
  readonly signals: readonly string[];
  readonly nowMs: () => number;
  readonly isStopping: () => boolean;
  readonly gate: { readonly origins: Pick<Origins, "assertMayWrite"> };
  readonly principals: Pick<Principals, "accessOf" | "actorOf" | "takePlace">;
  /** Where requests that read much wait for their turn. */
  readonly reads: ReadScheduler;
  readonly statePlaces: StatePlaces;
}

/** What it takes to serve the stream then. */
export interface StreamDeps extends AdmitDeps {
  readonly subscriptions: Pick<Subscriptions, "open">;
  readonly accessLog: Pick<AccessLog, "opened">;
  readonly principals: AdmitDeps["principals"] & Pick<Principals, "hold">;
  readonly pingIntervalMs: number;
  readonly clock: Clock;
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
export async function admit(deps: AdmitDeps, request: IncomingMessage, format: Format): Promise<Admitted> {
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
    await deps.principals.takePlace(request);
  }
  const access = await deps.principals.accessOf(request);
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
  const { start, order, onExpired, consumer } = options.subscription;
  if (order === "newest-first") return startBefore(log, start);
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

/** Opens the stream, and ends it where its token is no longer good. The returned function ends it. */
export function beginStream(
  { subscriptions, accessLog, principals }: StreamDeps,
  request: IncomingMessage,
  stream: Admitted & Pick<OpenSubscription, "sink" | "onReached">,
): (error?: Error) => void {
  const { connectionId, subscription, sink } = stream;
  const end = subscriptions.open(stream);
  void accessLog.opened(request, { connectionId, format: sink.format, consumer: subscription.consumer });
  void principals.hold(request, end);
  return end;
}

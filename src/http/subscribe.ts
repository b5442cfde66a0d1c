import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { FeedLog } from "../feed/log.ts";
import type { Access } from "../publishers/access.ts";
import { GoingAway } from "../publishers/errors.ts";
import { compileFilter } from "../publishers/filter-expression.ts";
import { ConnectionFrames } from "../publishers/frames.ts";
import { resolveStart, type StartPoint } from "../publishers/start.ts";
import type { Subscriptions } from "../publishers/subscriptions.ts";
import { parseSubscription, type Format, type Subscription } from "../schemas/subscription-schema.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { TICKET_PARAMETER } from "./access/credentials.ts";
import type { Gate } from "./access/gate.ts";

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
  readonly metrics: Pick<Metrics, "refusals">;
}

export interface Admitted {
  readonly connectionId: string;
  readonly subscription: Subscription;
  readonly start: StartPoint;
  readonly frames: ConnectionFrames;
  readonly access: Access;
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
  if (format !== "page") await deps.gate.takePlace(request);
  const access = await deps.accessOf(request);
  const start = await resolveStart(deps.log, subscription.start);
  // The server may have begun to stop while the log was read.
  if (deps.isStopping()) throw new GoingAway();
  const connectionId = randomUUID();
  const frames = new ConnectionFrames({ source: deps.source, connectionId, nowMs: deps.nowMs });
  return { connectionId, subscription, start, frames, access };
}

/** Without the ticket, which is nobody's business but the gate's. */
export function requestUrl(request: IncomingMessage): URL {
  const url = new URL(`http://feed${request.url ?? "/"}`);
  url.searchParams.delete(TICKET_PARAMETER);
  return url;
}

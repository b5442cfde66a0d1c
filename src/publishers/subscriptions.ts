import type { FeedLog } from "../feed/log.ts";
import { formatCursor } from "../schemas/cursor.ts";
import type { Subscription } from "../schemas/subscription-schema.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Access } from "./access.ts";
import { createEventFilter } from "./event-filter.ts";
import type { ConnectionFrames } from "./frames.ts";
import type { Sink } from "./sink.ts";
import type { StartPoint } from "./start.ts";
import { payloadText } from "./payload.ts";
import { ClientGone, Subscriber, type Ending, type SubscriberOptions } from "./subscriber.ts";

export interface OpenSubscription extends Pick<SubscriberOptions, "prelude" | "onReached"> {
  readonly connectionId: string;
  readonly subscription: Subscription;
  readonly start: StartPoint;
  readonly sink: Sink;
  readonly frames: ConnectionFrames;
  readonly access: Access;
}

export interface SubscriptionsOptions {
  readonly log: FeedLog;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "subscribers" | "deliveries" | "subscriptionsEnded">;
  readonly bookmarkIntervalMs: number;
  readonly stallTimeoutMs: number;
}

/** All open streams of a server: counts them, says in one log line how each ended, and ends them together. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #open = new Map<AbortController, Promise<void>>();

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Starts to deliver. The returned function ends it: in silence, or telling the subscriber an error. */
  open(opened: OpenSubscription): (error?: Error) => void {
    const { metrics, log, bookmarkIntervalMs, stallTimeoutMs } = this.#options;
    const { subscription, sink, frames, start, access, prelude, onReached } = opened;
    const { payload } = subscription;
    const { format } = sink;
    const controller = new AbortController();
    const subscriber = new Subscriber({
      log,
      sink,
      frames,
      start,
      filter: createEventFilter(subscription.conditions, access),
      ...(subscription.limit !== undefined && { limit: subscription.limit }),
      ...(payload !== "full" && { textOf: (entry) => payloadText(entry, payload) }),
      ...(prelude && { prelude }),
      ...(onReached && { onReached }),
      bookmarkIntervalMs,
      stallTimeoutMs,
      onDelivered: (events) => metrics.deliveries.inc({ format }, events),
    });
    metrics.subscribers.inc({ format });
    this.#open.set(controller, this.#run(subscriber, controller, opened));
    return (error = new ClientGone()) => controller.abort(error);
  }

  /** Tells every subscriber why and resolves when each has been told. */
  async endAll(reason: Error): Promise<void> {
    const running = [...this.#open.values()];
    for (const controller of this.#open.keys()) controller.abort(reason);
    await Promise.all(running);
  }

  async #run(subscriber: Subscriber, controller: AbortController, opened: OpenSubscription): Promise<void> {
    const ending = await subscriber.run(controller.signal);
    this.#open.delete(controller);
    this.#account(opened, ending);
  }

  #account({ sink: { format }, connectionId, start }: OpenSubscription, ending: Ending): void {
    const { metrics, logger } = this.#options;
    const { reason, events, cursor, error } = ending;
    metrics.subscribers.dec({ format });
    metrics.subscriptionsEnded.inc({ format, reason });
    const line = {
      connectionId,
      format,
      reason,
      events,
      from: formatCursor(start.cursor),
      to: formatCursor(cursor),
    };
    if (reason === "INTERNAL") logger.error({ ...line, err: error }, "Subscription ended by a defect");
    else logger.info(line, "Subscription ended");
  }
}

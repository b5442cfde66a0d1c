import type { FeedLog } from "../../feed/log.ts";
import { formatCursor, type Cursor } from "../../schemas/cursor.ts";
import type { Subscription } from "../../schemas/subscription-schema.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { EVERYTHING, type Access } from "../selection/access.ts";
import { createEventFilter } from "../selection/event-filter.ts";
import type { ConnectionFrames } from "../connection/frames.ts";
import type { Fanout } from "./fanout.ts";
import type { Sink, StreamFormat } from "../connection/sink.ts";
import type { StartPoint } from "../connection/start.ts";
import { formOf } from "../selection/payload.ts";
import { ClientGone, Subscriber, type Ending, type SubscriberOptions } from "./subscriber.ts";
import { SharedSelectors, EventSelector } from "./event-selector.ts";

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
  readonly fanout: Fanout;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "subscribers" | "subscriberLag" | "deliveries" | "subscriptionsEnded">;
  readonly bookmarkIntervalMs: number;
  readonly stallTimeoutMs: number;
  readonly clock: Clock;
}

interface Running {
  readonly format: StreamFormat;
  readonly subscriber: Subscriber;
  readonly done: Promise<void>;
}

/**
 * All open streams of a server: counts them, says in one log line how each ended, and ends them together.
 */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #open = new Map<AbortController, Running>();
  readonly #selectors = new SharedSelectors();

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  /** How many are open of each format. */
  counts(): ReadonlyMap<StreamFormat, number> {
    const counts = new Map<StreamFormat, number>();
    for (const { format } of this.#open.values()) counts.set(format, (counts.get(format) ?? 0) + 1);
    return counts;
  }

  /** Starts to deliver. The returned function ends it: in silence, or telling the subscriber an error. */
  open(opened: OpenSubscription): (error?: Error) => void {
    const { metrics, log, fanout, clock, bookmarkIntervalMs, stallTimeoutMs } = this.#options;
    const { subscription, sink, frames, start, prelude, onReached } = opened;
    const { format } = sink;
    const controller = new AbortController();
    const { selector, release } = this.#selectorOf(opened);
    const deliveries = metrics.deliveries.labels({ format });
    const subscriber = new Subscriber({
      log,
      ...fanout,
      clock,
      sink,
      frames,
      start,
      selector,
      ...(subscription.limit !== undefined && { limit: subscription.limit }),
      ...(prelude && { prelude }),
      ...(onReached && { onReached }),
      bookmarkIntervalMs,
      stallTimeoutMs,
      onDelivered: (events) => deliveries.inc(events),
    });
    metrics.subscribers.inc({ format });
    const done = this.#run(subscriber, controller, opened).finally(release);
    this.#open.set(controller, { format, subscriber, done });
    return (error = new ClientGone()) => controller.abort(error);
  }

  /** Brings up to date how far the slowest of each format is behind `head`, the log's end. */
  measureLag(head: Cursor): void {
    const { subscriberLag } = this.#options.metrics;
    const lags = new Map<StreamFormat, number>();
    for (const { format, subscriber } of this.#open.values()) {
      const { epoch, sequence } = subscriber.cursor;
      // Who is in another epoch is about to be told that it ended.
      const lag = epoch === head.epoch ? Math.max(0, head.sequence - sequence) : 0;
      lags.set(format, Math.max(lag, lags.get(format) ?? 0));
    }
    subscriberLag.reset();
    for (const [format, lag] of lags) subscriberLag.set({ format }, lag);
  }

  /** Tells every subscriber why and resolves when each has been told. */
  async endAll(reason: Error): Promise<void> {
    const running = [...this.#open.values()].map(({ done }) => done);
    for (const controller of this.#open.keys()) controller.abort(reason);
    await Promise.all(running);
  }

  /** Rights may change under a stream, so only those who see everything share what was decided for one of them. */
  #selectorOf({ subscription, sink, access }: OpenSubscription): {
    selector: EventSelector;
    release: () => void;
  } {
    const { conditions, payload } = subscription;
    const form = formOf(sink.encode, payload);
    const makeFilter = () => createEventFilter(conditions, access);
    const key = access === EVERYTHING ? textOf(conditions) : undefined;
    return key === undefined
      ? { selector: new EventSelector(makeFilter(), form), release: () => undefined }
      : this.#selectors.share(key, form, makeFilter);
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
    if (reason === "INTERNAL")
      logger.error({ ...line, err: error }, "subscription ended by an internal error");
    else logger.info(line, "subscription ended");
  }
}

/** Equal for equal conditions; undefined where there are some that are more than text. */
function textOf(conditions: object): string | undefined {
  const isText = (value: unknown) => typeof value === "string";
  const values: unknown[] = Object.values(conditions);
  if (!values.flat().every(isText)) return undefined;
  return JSON.stringify(Object.entries(conditions).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

import type { FeedLog } from "../feed/log.ts";
import type { Subscriptions } from "../publishers/fanout/subscriptions.ts";
import { CONSUMER_NAME } from "../schemas/subscription-schema.ts";
import type { Clock } from "../shared/clock.ts";
import { endsWithin } from "../shared/ends-within.ts";
import type { Metrics } from "../telemetry/metrics.ts";

type LogMetrics = Pick<Metrics, "logSequence" | "logFloor" | "logBytes" | "consumerLag">;

/** A log that does not answer so long keeps no other metric from who asks. */
const ANSWER_WITHIN_MS = 1000;

/**
 * Brings what is known of the log, and who is behind it, up to date; where it does not answer, what was known last
 * stays.
 */
export async function observeLog(
  log: Pick<FeedLog, "head" | "bytes" | "consumers">,
  metrics: LogMetrics,
  subscriptions: Pick<Subscriptions, "measureLag">,
  clock: Clock,
): Promise<void> {
  await endsWithin(ANSWER_WITHIN_MS, observe(log, metrics, subscriptions), clock);
}

async function observe(
  log: Pick<FeedLog, "head" | "bytes" | "consumers">,
  metrics: LogMetrics,
  subscriptions: Pick<Subscriptions, "measureLag">,
): Promise<void> {
  const [head, bytes, consumers] = await Promise.all([log.head(), log.bytes(), log.consumers.list()]);
  metrics.logSequence.set(head.sequence);
  metrics.logFloor.set(head.floor);
  metrics.logBytes.set(bytes);
  subscriptions.measureLag(head);
  // Those that were forgotten go.
  metrics.consumerLag.reset();
  for (const { name, cursor } of consumers) {
    if (!CONSUMER_NAME.test(name)) continue;
    // The cursor of another epoch is no place in this log: nothing of it was acknowledged.
    const dealtWith = cursor.epoch === head.epoch ? Math.max(cursor.sequence, head.floor) : head.floor;
    metrics.consumerLag.set({ consumer: name }, Math.max(0, head.sequence - dealtWith));
  }
}

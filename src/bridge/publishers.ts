import type { Config } from "../config/config.ts";
import type { FeedLog } from "../feed/log.ts";
import type { Alerting } from "../publishers/alerting/alerting.ts";
import { Silences } from "../publishers/alerting/silences.ts";
import type { Deliveries } from "../publishers/delivery/deliveries.ts";
import { createFanout, type Fanout } from "../publishers/fanout/fanout.ts";
import { redactedLog, redactedRead } from "../publishers/redaction/redacted-log.ts";
import { Redaction } from "../publishers/redaction/redaction.ts";
import { PastStates } from "../reads/past-states.ts";
import { alertingOf } from "./alerting.ts";
import { deliveriesOf } from "./deliveries.ts";
import type { OpenBridge } from "./open.ts";

/** What takes events out of the log, each for others. */
export interface Publishers {
  readonly redaction: Redaction;
  /** The log without what is redacted: for everything that lets something leave. */
  readonly published: FeedLog;
  /** What was before, without what is redacted. */
  readonly past: PastStates;
  readonly fanout: Fanout;
  readonly deliveries: Deliveries;
  readonly silences: Silences;
  readonly alerting: Alerting;
}

export function publishersOf(config: Config, open: OpenBridge): Publishers {
  const { clock, metrics, loggers } = open;
  const redaction = new Redaction(config.redaction);
  const published = redactedLog(open.log, redaction);
  const past = new PastStates(open.log, { publish: (read) => redactedRead(read, redaction) });
  const fanout = createFanout({ log: published, clock, logger: loggers.http, metrics });
  const outward = { ...open, ...fanout, log: published };
  const deliveries = deliveriesOf(config, { ...outward, logger: loggers.deliveries });
  const silences = new Silences({ log: published, clock, logger: loggers.alerts });
  const alerting = alertingOf(config, { ...outward, silences });
  return { redaction, published, past, fanout, deliveries, silences, alerting };
}

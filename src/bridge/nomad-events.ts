import type { Config } from "../config/config.ts";
import { FrameLog } from "../feed/frames/frame-log.ts";
import { denialFormOf } from "../http/nomad-events/denial.ts";
import { RecentVerdicts } from "../http/nomad-events/recent-verdicts.ts";
import { NomadEventsServer } from "../http/nomad-events/server.ts";
import { resolveNomadOptions } from "../nomad/options.ts";
import { createSubscriberRights } from "../nomad/subscriber-rights.ts";
import { Upstream } from "../nomad/upstream.ts";
import { FrameTap } from "../pollers/tap/frame-tap.ts";
import { watchNamespaces } from "../pollers/tap/namespace-watch.ts";
import { ExtraFrames } from "../publishers/nomad-events/extra-frames.ts";
import { FrameFeed } from "../publishers/nomad-events/frame-feed.ts";
import type { OpenBridge } from "./open.ts";
import type { Parts } from "./parts.ts";
import type { Publishers } from "./publishers.ts";

/** What stands in for Nomad's event stream. */
export interface NomadEvents {
  /** Where Nomad's clients connect. */
  readonly url: string;
  /** Records frames until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** Clients that come before Nomad has answered wait so long at most. */
const SETTLES_WITHIN_MS = 10_000;

/** Undefined where none is configured. @throws LogUnusable, LogInUse, NomadOptionInvalid, ListenFailed */
export async function nomadEventsOf(
  { compat, nomad: raw, access }: Config,
  { nomad, clock, random, loggers, metrics, published, fanout }: OpenBridge & Publishers,
  parts: Parts,
): Promise<NomadEvents | undefined> {
  if (compat === undefined) return undefined;
  const logger = loggers.http;
  const log = FrameLog.open(compat.log, clock);
  parts.defer(async () => log[Symbol.dispose]());
  const tap = new FrameTap({ nomad, log, clock, random, logger: loggers.pollers, metrics });
  const options = resolveNomadOptions(raw);
  const upstream = new Upstream(options, loggers.nomad);
  parts.defer(async () => upstream[Symbol.dispose]());
  const rights = parts.use(createSubscriberRights(options, { logger: loggers.nomad, clock }));
  const feed = new FrameFeed(log);
  parts.defer(async () => feed[Symbol.dispose]());
  const server = parts.use(
    new NomadEventsServer(
      {
        upstream,
        rightsOf: (token, signal) => rights.rightsOf(token, signal),
        frames: log,
        feed,
        replay: compat.replay,
        extra: compat.extra,
        denials: denialFormOf(compat.version),
        recent: new RecentVerdicts(clock),
        covers: async (topics) => {
          await Promise.race([tap.settled, clock.sleep(SETTLES_WITHIN_MS)]);
          return tap.covers(topics);
        },
        logger,
        metrics,
        clock,
      },
      { ...compat.listen, ...(access.tls !== undefined && { tls: access.tls }) },
    ),
  );
  const url = await server.listen();
  logger.info(
    { url, log: compat.log.path },
    "Nomad's event stream is served here too, from what was recorded of it",
  );
  const extras =
    compat.extra === "off"
      ? undefined
      : new ExtraFrames({
          ...fanout,
          log: published,
          frames: log,
          isRecording: () => tap.isRecording,
          clock,
          random,
          logger: loggers.http,
        });
  const run = async (signal: AbortSignal) => {
    await Promise.all([
      tap.run(signal),
      watchNamespaces({ nomad, clock, random }, () => tap.renew(), signal),
      extras?.run(signal),
    ]);
  };
  return { url, run };
}

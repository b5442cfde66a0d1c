import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Config } from "../config/config.ts";
import type { Coordination } from "../coordination/coordination.ts";
import type { FeedLog } from "../feed/log.ts";
import { createNomadClient, type NomadClient } from "../nomad/client.ts";
import { resolveNomadOptions } from "../nomad/options.ts";
import { createMetrics, type Metrics } from "../telemetry/metrics.ts";
import type { Tracer } from "../telemetry/tracing.ts";
import { coordinationOf } from "./coordination.ts";
import { openLog } from "./log.ts";
import type { BridgeDeps } from "./overrides.ts";
import type { Parts } from "./parts.ts";
import { sourceOfBridge } from "./source.ts";
import { subscriberAuth, type SubscriberAuth } from "./subscriber-auth.ts";
import { packageVersion } from "./own-package.ts";
import { telemetryOfFeed, type FeedTelemetry } from "./telemetry.ts";
import { waitingRoomOf, type WaitingRoom } from "./waiting-room.ts";

/** What is open once the log is: everything else is built on it. */
export interface OpenBridge extends BridgeDeps {
  readonly metrics: Metrics;
  readonly nomad: NomadClient;
  readonly auth: SubscriberAuth;
  /** To be closed once the server takes its port. */
  readonly waitingRoom: WaitingRoom;
  /** `nomad://<cluster>/<region>`. */
  readonly source: string;
  readonly log: FeedLog;
  /** This process, for people: host/process/random. */
  readonly worker: string;
  readonly coordination: Coordination;
  /** Undefined: nothing is traced. */
  readonly tracer: Tracer | undefined;
  /** What is sent of the process itself; undefined: nothing. */
  readonly sent: FeedTelemetry | undefined;
}

/** Opens all of it in order; what was opened is in `parts` where something later fails. */
export async function openBridge(
  config: Config,
  deps: BridgeDeps,
  { parts, signal }: { parts: Parts; signal: AbortSignal },
): Promise<OpenBridge> {
  const { loggers, clock, random } = deps;
  const waiting = { clock, random, signal };
  const metrics = createMetrics({ version: packageVersion() });
  const sent = await telemetryOfFeed(config, { ...deps, metrics }, parts);
  const nomad = parts.use(nomadOf(config, deps));
  const auth = parts.use(subscriberAuth(config, deps));
  const waitingRoom = parts.use(await waitingRoomOf(config, { ...deps, auth }));
  const source = await sourceOfBridge(config, { ...waiting, nomad, loggers, waitingRoom });
  const log = parts.use(await openLog(config, { ...waiting, source, logger: loggers.feed, metrics }));
  const worker = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  const coordination = parts.use(
    await coordinationOf(config, { worker, metrics, logger: loggers.coordination, clock }),
  );
  const tracer = sent?.tracer({ "cloudevents.event_source": source });
  return { ...deps, metrics, nomad, auth, waitingRoom, source, log, worker, coordination, tracer, sent };
}

function nomadOf({ nomad, maxConnections }: Config, { loggers, clock }: BridgeDeps): NomadClient {
  return createNomadClient(resolveNomadOptions({ ...nomad, maxConnections }), {
    logger: loggers.nomad,
    clock,
  });
}

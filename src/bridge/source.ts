import type { Config } from "../config/config.ts";
import type { NomadClient } from "../nomad/client.ts";
import type { ModuleLoggers } from "../telemetry/logger.ts";
import { sourceOfLog } from "./log.ts";
import { regionIn, regionOf, sourceOf } from "./nomad-start.ts";
import type { Waiting } from "./until-it-answers.ts";
import { LOG_AWAITED, type WaitingRoom } from "./waiting-room.ts";

interface SourceDeps extends Omit<Waiting, "logger"> {
  readonly nomad: NomadClient;
  readonly loggers: ModuleLoggers;
  readonly waitingRoom: WaitingRoom;
}

/** The source that the bridge's log is of: by its region, which the log knows, where there is one, or else Nomad. */
export async function sourceOfBridge(
  config: Config,
  { nomad, loggers, waitingRoom, ...waiting }: SourceDeps,
): Promise<string> {
  const known = config.nomad.region ?? (await regionOfLog(config, { ...waiting, logger: loggers.feed }));
  if (known === undefined) waitingRoom.awaited = "Nomad does not answer yet";
  const region = known ?? (await regionOf(nomad, { ...waiting, logger: loggers.nomad })).name;
  waitingRoom.awaited = LOG_AWAITED;
  return sourceOf(config.cluster, region);
}

/** A log that exists knows its region, so that it can be served while Nomad is away. */
async function regionOfLog({ feed }: Config, waiting: Waiting): Promise<string | undefined> {
  const source = await sourceOfLog(feed, waiting);
  return source === undefined ? undefined : regionIn(source);
}

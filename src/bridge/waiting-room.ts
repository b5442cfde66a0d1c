import type { Config } from "../config/config.ts";
import type { Mount } from "../http/feeds/mount.ts";
import { openWaitingRoom } from "../http/waiting-room.ts";
import type { SubscriberAuth } from "./subscriber-auth.ts";
import type { BridgeDeps } from "./overrides.ts";

export const LOG_AWAITED = "the log cannot be opened yet";

export interface WaitingRoom extends AsyncDisposable {
  /** What probes are told. */
  set awaited(why: string);
}

/**
 * Who listens until there is a log to serve, and says what it waits for. Nobody does on a port that is chosen anew each
 * time: nobody could know it.
 */
export async function waitingRoomOf(
  { access, listen, insecureNoAuth }: Config,
  { auth, loggers, clock, mount }: Pick<BridgeDeps, "loggers" | "clock" | "mount"> & { auth: SubscriberAuth },
): Promise<WaitingRoom> {
  if (mount !== undefined) return waitingBehind(mount);
  const room = { awaited: LOG_AWAITED, [Symbol.asyncDispose]: () => Promise.resolve() };
  if (listen.port === 0) return room;
  const authRequired = auth.authenticators.length > 0;
  const options = { ...access, ...listen, insecureNoAuth, authRequired };
  const deps = { logger: loggers.http, clock, why: () => room.awaited };
  return Object.assign(room, await openWaitingRoom(options, deps));
}

/** Who takes the connections says it. */
function waitingBehind(mount: Mount): WaitingRoom {
  return {
    set awaited(why: string) {
      mount.awaited = why;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

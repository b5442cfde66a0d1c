import type { Reread } from "../config/reread.ts";
import type { Mount } from "../http/feeds/mount.ts";
import { secretReader, type SecretReader } from "../config/secrets.ts";
import type { StandardOutput } from "../publishers/destination-deps.ts";
import { systemClock, type Clock } from "../shared/clock.ts";
import { consoleFolder } from "./own-package.ts";
import type { Telemetry } from "../telemetry/otlp/telemetry.ts";
import { moduleLoggers, type Logger, type ModuleLoggers } from "../telemetry/logger.ts";

/** What whoever creates a bridge hands in. */
export interface BridgeOverrides {
  readonly logger: Logger;
  readonly clock?: Clock;
  /** 0 to 1, for jitter. */
  readonly random?: () => number;
  /** What stands behind the references of destinations. Default: files, and no variables. */
  readonly readSecret?: SecretReader;
  /** Where a destination of that type writes. Default: nobody reads it. */
  readonly stdout?: StandardOutput;
  /** Where the web console was built to. Default: where this package has it. */
  readonly consoleFolder?: string;
  /** Reads the configuration file again. Absent: there is none. @throws ConfigInvalid */
  readonly reread?: () => Reread;
  /** Who takes connections for it. Absent: it listens by itself. */
  readonly mount?: Mount;
  /** What sends its traces and metrics, with the name of its feed. Absent: it sends its own. */
  readonly telemetry?: SharedTelemetry;
}

/** Of a process that serves several feeds. */
export interface SharedTelemetry {
  /** Undefined: nothing is sent. */
  readonly process: Pick<Telemetry, "tracer" | "measure"> | undefined;
  readonly feed: string;
}

/** The same, with the usual in place of what was not handed in. */
export interface BridgeDeps extends Required<
  Omit<BridgeOverrides, "logger" | "reread" | "mount" | "telemetry">
> {
  readonly reread: BridgeOverrides["reread"];
  readonly mount: BridgeOverrides["mount"];
  readonly telemetry: BridgeOverrides["telemetry"];
  readonly loggers: ModuleLoggers;
}

const NOBODY_READS: StandardOutput = {
  write: (_data, done) => done(new Error("this program has none")),
};

export function depsOf({ logger, ...overrides }: BridgeOverrides): BridgeDeps {
  return {
    clock: systemClock,
    random: Math.random,
    readSecret: secretReader({}),
    stdout: NOBODY_READS,
    reread: undefined,
    mount: undefined,
    telemetry: undefined,
    consoleFolder: consoleFolder(),
    ...overrides,
    loggers: moduleLoggers(logger),
  };
}

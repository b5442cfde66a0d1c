import type { Clock } from "../shared/clock.ts";
import type { Logger } from "../telemetry/logger.ts";

/** What a destination gets besides its settings. */
export interface DestinationDeps {
  /** Its name in the configuration. */
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  /** CloudEvents source of this feed: "nomad://prod/global". */
  readonly source: string;
  /** The text behind `env:NAME` or `file:PATH`; throws, without quoting it, where there is none. */
  readonly readSecret: (reference: string) => string;
  /** Standard output, whose errors somebody listens to. */
  readonly stdout: StandardOutput;
}

export interface StandardOutput {
  /** Calls back when the system has it, or cannot take it. */
  write(data: Buffer, done: (error?: Error | null) => void): unknown;
}

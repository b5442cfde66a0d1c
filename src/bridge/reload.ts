import { ConfigInvalid } from "../config/errors.ts";
import type { Reloadable, Reread } from "../config/reread.ts";
import type { Alerting } from "../publishers/alerting/alerting.ts";
import type { Deliveries } from "../publishers/delivery/deliveries.ts";
import type { Ring } from "../publishers/fanout/ring.ts";
import type { Redaction } from "../publishers/redaction/redaction.ts";
import type { DestinationConfig } from "../schemas/destinations/index.ts";
import { ChangefeedError } from "../schemas/errors.ts";
import { reloadText, type ReloadReport } from "../schemas/reload-schema.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Assignments } from "./assignments.ts";

/** The configuration file is not applied, no part of it. */
export class ReloadRefused extends ChangefeedError {
  readonly code = "RELOAD_REFUSED";
  /** One sentence each, with file and line. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[], hint: string) {
    super(problems.join("\n"), { hint });
    this.problems = problems;
  }
}

type Fingerprinted = Pick<DestinationConfig, "name" | "fingerprint">;

export interface ReloadDeps {
  readonly logger: Logger;
  /** Absent: the process was started without a file. @throws ConfigInvalid */
  readonly reread: (() => Reread) | undefined;
  readonly redaction: Pick<Redaction, "configure">;
  readonly fanout: { readonly ring: Pick<Ring, "forget"> };
  readonly deliveries: Pick<Deliveries, "configure">;
  readonly alerting: Pick<Alerting, "configure">;
  /** Told afterwards, so that what is new is planned. */
  readonly assignments: Pick<Assignments, "reconfigured">;
}

/** Applies the configuration file anew to what runs: whole, or not at all. No subscriber and no position is lost. */
export class Reload {
  readonly #deps: ReloadDeps;
  /** In force. */
  #config: Reloadable;

  constructor(config: Reloadable, deps: ReloadDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  /**
   * `by`: who asked for it, for the log; `read`: what the file says, where it was read before.
   * @throws ReloadRefused, and then all goes on as it was.
   */
  apply(by: string, read = readAnew(this.#deps.reread, by, this.#deps.logger)): ReloadReport {
    const { logger, redaction, fanout, deliveries, alerting, assignments } = this.#deps;
    const { file, config, needRestart } = read;
    const report = {
      file,
      destinations: differences(allDestinations(this.#config), allDestinations(config)),
      redaction: isOther(config.redaction, this.#config.redaction),
      alerts: isOther(config.alerts, this.#config.alerts),
      routes: isOther(config.routes, this.#config.routes),
      needRestart: [...needRestart],
    };
    if (report.redaction) {
      redaction.configure(config.redaction);
      fanout.ring.forget();
    }
    deliveries.configure(config.destinations);
    alerting.configure(config);
    assignments.reconfigured();
    this.#config = config;
    logger.info({ by, ...report }, `applied ${file}: ${reloadText(report)}`);
    return report;
  }
}

/** What `reread` reads. @throws ReloadRefused where there is nothing to read, or it has mistakes */
export function readAnew<Read>(reread: (() => Read) | undefined, by: string, logger: Logger): Read {
  if (reread === undefined) {
    throw new ReloadRefused(["There is no file to read again"], "Start with --config <path>");
  }
  try {
    return reread();
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    const { problems } = error;
    logger.error({ by, problems }, `the configuration file is refused, the former goes on: ${problems[0]}`);
    throw new ReloadRefused(problems, "Nothing of the file is applied; the former one goes on");
  }
}

function allDestinations({ destinations, alertDestinations }: Reloadable): Fingerprinted[] {
  return [...destinations, ...alertDestinations];
}

function isOther(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) !== JSON.stringify(b);
}

function differences(
  before: readonly Fingerprinted[],
  after: readonly Fingerprinted[],
): ReloadReport["destinations"] {
  const were = new Map(before.map(({ name, fingerprint }) => [name, fingerprint]));
  const are = new Map(after.map(({ name, fingerprint }) => [name, fingerprint]));
  return {
    added: [...are.keys()].filter((name) => !were.has(name)),
    removed: [...were.keys()].filter((name) => !are.has(name)),
    changed: [...are.keys()].filter((name) => were.has(name) && were.get(name) !== are.get(name)),
  };
}

import type { Config } from "../config/config.ts";
import type { Reread } from "../config/reread.ts";
import type { FeedLog } from "../feed/log.ts";
import { PAGE, readConsoleFiles } from "../http/console/files.ts";
import type { ReloadReport } from "../schemas/reload-schema.ts";
import { tidyDeliveries } from "./deliveries.ts";
import { Health } from "./health.ts";
import { nomadEventsOf } from "./nomad-events.ts";
import { jobVersionsOf } from "./job-versions.ts";
import { rightNomadAnswers } from "./nomad-start.ts";
import { openBridge } from "./open.ts";
import { depsOf, type BridgeDeps, type BridgeOverrides } from "./overrides.ts";
import { Parts } from "./parts.ts";
import { enricherOf } from "./enricher.ts";
import { assignmentsOf, frameRecorderOf } from "./pollers.ts";
import { publishersOf } from "./publishers.ts";
import { Reload } from "./reload.ts";
import { serve, serverOf } from "./server.ts";
import { Work } from "./work.ts";

/** A bridge that serves: Nomad in, log in the middle, subscribers out. */
export interface Serving {
  /** Where subscribers connect: `http://127.0.0.1:4650`. */
  readonly url: string;
  /** Where a browser gets the web console. Absent: it is off, or was not built. */
  readonly consoleUrl?: string;
  /** Where clients of Nomad get its event stream. Absent: nothing stands in for it. */
  readonly nomadEventsUrl?: string;
  /** `nomad://<cluster>/<region>`. */
  readonly source: string;
  readonly log: FeedLog;
  /** Resolves when every scope has its baseline; rejects with the signal's reason. */
  ready(signal?: AbortSignal): Promise<void>;
  /**
   * Applies the configuration file anew, whole or not at all; `by`: who asked, `read`: what it says, where that is known.
   * @throws ReloadRefused
   */
  reload(by: string, read?: Reread): ReloadReport;
}

export interface Bridge {
  /** Resolves when subscribers can connect; rejects as `run` does, where it ends before. */
  readonly serving: Promise<Serving>;
  /**
   * Opens what it is made of, does its work until `signal` aborts, and closes all of it in order; what was committed
   * stays.
   * Call it once. Answers whether all that was seen is in the log. Without a log that knows its region it waits for
   * Nomad first, alive but not ready; with one, what is in the log is served while Nomad is away.
   * @throws NomadOptionInvalid, TokensFileInvalid, TlsFilesUnusable, LogUnusable, LogInUse, InsecureListen,
   * ListenFailed; the signal's reason when it aborts before the bridge serves.
   */
  run(signal: AbortSignal): Promise<boolean>;
}

/** A bridge as configured; nothing is opened yet. */
export function createBridge(config: Config, overrides: BridgeOverrides): Bridge {
  const serving = Promise.withResolvers<Serving>();
  // `run` rejects with the same; who only runs it need not hear of it twice.
  serving.promise.catch(() => undefined);
  const deps = depsOf(overrides);
  return {
    serving: serving.promise,
    run: (signal) =>
      runBridge(config, deps, { signal, onServing: serving.resolve }).catch((error: unknown) => {
        serving.reject(error);
        throw error;
      }),
  };
}

async function runBridge(
  config: Config,
  deps: BridgeDeps,
  { signal, onServing }: { signal: AbortSignal; onServing: (serving: Serving) => void },
): Promise<boolean> {
  const { loggers, clock } = deps;
  await using parts = new Parts(loggers.bridge);
  const work = new Work(signal, { clock, logger: loggers.bridge });
  const open = await openBridge(config, deps, { parts, signal: work.signal });
  // Also where something below fails: what waits for Nomad must not outlive the bridge.
  parts.defer(async () => work.stop());

  const nomadReady = rightNomadAnswers(config, { ...open, signal: work.signal, logger: loggers.nomad });
  work.add(nomadReady);
  const recordFrame = frameRecorderOf(config, open, parts);
  const publishers = publishersOf(config, open);
  const enricher = enricherOf(config, { ...open, ...publishers }, parts);
  const running = { ...open, ...publishers, nomadReady, recordFrame, enricher };
  const { assignments, pollers } = assignmentsOf(config, running);
  const reload = new Reload(config, { ...running, logger: loggers.bridge, assignments });
  const health = new Health({ ...open, pollers });

  const console = config.console ? readConsoleFiles(deps.consoleFolder) : undefined;
  const jobVersions = jobVersionsOf(config, running, parts);
  const server = parts.use(await serverOf(config, { ...running, health, reload, console, jobVersions }));
  const leave = open.sent?.measure(() => server.observe());
  parts.defer(async () => leave?.());
  await open.waitingRoom[Symbol.asyncDispose]();
  const { url } = await serve(server, parts);
  const nomadEvents = await nomadEventsOf(config, { ...open, ...publishers }, parts);

  parts.defer(() => work.finish());
  work.add(
    open.coordination.run(assignments, work.signal),
    pollers.supervisor.run(work.signal),
    ...(nomadEvents === undefined ? [] : [nomadEvents.run(work.signal)]),
    tidyDeliveries(publishers.deliveries, { logger: loggers.deliveries, clock, signal: work.signal }),
  );
  onServing({
    url,
    ...(console?.has(PAGE) === true && { consoleUrl: `${url}/` }),
    ...(nomadEvents !== undefined && { nomadEventsUrl: nomadEvents.url }),
    source: open.source,
    log: open.log,
    ready: (given) => health.whenReady(given ? AbortSignal.any([work.signal, given]) : work.signal),
    reload: (by, read) => reload.apply(by, read),
  });
  await work.over();
  await parts[Symbol.asyncDispose]();
  return work.isComplete;
}

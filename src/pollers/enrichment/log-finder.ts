import { failedTask } from "../../events/failed-task.ts";
import { LOG_BYTES, logLines } from "../../events/log-lines.ts";
import { NomadError } from "../../nomad/errors.ts";
import type { TaskLogs } from "../../nomad/task-logs.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { REFUSED, type Finder } from "./finder.ts";

interface LogFinderDeps {
  readonly logs: Pick<TaskLogs, "tail">;
  /** Takes out of texts about an allocation what the configuration says must not leave. */
  readonly redact: <Texts extends object>(namespace: string, texts: Texts) => Texts;
  readonly clock: Pick<Clock, "elapsed">;
  readonly logger: Logger;
}

/** How long a namespace is not asked again whose logs the token may not read. */
const REFUSED_FOR_MS = 600_000;

/** What a task wrote last before it failed: `--enrich logs`. */
export function logFinder({ logs, redact, clock, logger }: LogFinderDeps): Finder {
  const refusedUntilMs = new Map<string, number>();
  const told = new Set<string>();

  const refused = (namespace: string): string => {
    refusedUntilMs.set(namespace, clock.elapsed() + REFUSED_FOR_MS);
    if (!told.has(namespace)) {
      logger.warn(
        { namespace },
        "the token may not read the logs of tasks: give it read-logs, or do not ask for them",
      );
    }
    told.add(namespace);
    return REFUSED;
  };
  return {
    what: "logs",
    wants: (change) => failedTask(change) !== undefined,
    find: async (change, signal) => {
      const failed = failedTask(change);
      if (failed === undefined) return "No task of it failed";
      const { task, exitCode, signal: exitSignal } = failed;
      const { namespace, key: allocation } = change.ref;
      if ((refusedUntilMs.get(namespace) ?? 0) > clock.elapsed()) return REFUSED;
      const tail = await logs
        .tail({ namespace, allocation, task }, LOG_BYTES, signal)
        .catch((error: unknown) => {
          if (error instanceof NomadError && error.code === "NOMAD_FORBIDDEN") return refused(namespace);
          throw error;
        });
      if (tail === undefined) return "There is no log of it";
      if (typeof tail === "string") return tail;
      const { lines } = redact(namespace, { lines: logLines(tail) });
      return {
        log: {
          task,
          stream: "stderr",
          ...(exitCode !== undefined && { exitCode }),
          ...(exitSignal !== undefined && exitSignal !== 0 && { signal: exitSignal }),
          lines,
        },
      };
    },
    without: (unavailable) => ({ log: { unavailable } }),
  };
}

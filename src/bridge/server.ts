import type { Config } from "../config/config.ts";
import { SIGNAL_NAMES } from "../events/signals.ts";
import type { ConsoleFiles } from "../http/console/files.ts";
import { createHttpServer, type HttpServer } from "../http/server.ts";
import type { TrailElsewhere, TrailPlace } from "../http/trail-files.ts";
import { bucketName } from "../publishers/audit/s3/bucket.ts";
import type { FeedLog } from "../feed/log.ts";
import type { JobVersions } from "../reads/job-versions/job-versions.ts";
import type { DestinationConfig } from "../schemas/destinations/index.ts";
import { RESOURCE_TYPES, type ResourceType } from "../schemas/resources.ts";
import { steeringOf } from "./deliveries.ts";
import type { Health } from "./health.ts";
import type { OpenBridge } from "./open.ts";
import { connectionsThatFit } from "./open-files.ts";
import type { Parts } from "./parts.ts";
import type { Publishers } from "./publishers.ts";
import type { Reload } from "./reload.ts";

const HTTP_STOP_MS = 400;

interface ServerDeps extends OpenBridge, Publishers {
  readonly health: Health;
  readonly jobVersions: JobVersions;
  readonly reload: Reload;
  /** Undefined: none is served. */
  readonly console: ConsoleFiles | undefined;
}

export async function serverOf(
  { access, listen, insecureNoAuth, resources }: Config,
  deps: ServerDeps,
): Promise<HttpServer> {
  const { published, alerting, deliveries, loggers, coordination, auth, health, reload } = deps;
  const limits = await withRoomForFiles(access.limits);
  return createHttpServer(
    {
      ...deps,
      log: published,
      logger: loggers.http,
      signals: SIGNAL_NAMES,
      readiness: () => health.readiness(),
      liveness: () => health.liveness(),
      assignments: () => coordination.statuses(),
      deliveries: steeringOf(deliveries, alerting.deliveries),
      alerts: () => alerting.list(),
      alertRoutes: (alert) => alerting.routes(alert),
      trails: () => trailsOf(deliveries.configured()),
      authenticators: auth.authenticators,
      kinds: await kindsIn(published, resources),
      reload: (by) => reload.apply(by),
    },
    { ...access, ...listen, insecureNoAuth, limits, stopMs: HTTP_STOP_MS },
  );
}

/** What is watched no more is in the log yet. */
async function kindsIn(
  log: Pick<FeedLog, "scopes">,
  resources: readonly ResourceType[],
): Promise<readonly ResourceType[]> {
  const known = await log.scopes().then(
    (scopes) => scopes.map(({ scope }) => scope.resource),
    () => RESOURCE_TYPES,
  );
  return [...new Set([...resources, ...known])];
}

function trailsOf(destinations: readonly DestinationConfig[]): (TrailPlace | TrailElsewhere)[] {
  return destinations.flatMap(({ name, settings }) => {
    if (settings.type !== "audit") return [];
    const { directory, s3 } = settings;
    return [
      ...(directory === undefined ? [] : [{ name, directory }]),
      ...(s3 === undefined ? [] : [{ name, bucket: bucketName(s3) }]),
    ];
  });
}

async function withRoomForFiles(limits: Config["access"]["limits"]): Promise<Config["access"]["limits"]> {
  const connections = limits.connections ?? (await connectionsThatFit());
  return connections === undefined ? limits : { ...limits, connections };
}

/** Runs the server until it is its turn to be closed: after the work, of which subscribers so get the last. */
export async function serve(server: HttpServer, parts: Parts): Promise<{ url: string }> {
  const closing = new AbortController();
  const running = server.run(closing.signal);
  // Where it cannot listen, whoever waits for that hears of it.
  running.catch(() => undefined);
  const listening = await server.listening;
  parts.defer(async () => {
    closing.abort(new Error("the bridge stops"));
    await running;
  });
  return listening;
}

import { RuleSet } from "../alerts/rules/rule-set.ts";
import { openLogToRead } from "../bridge/log.ts";
import type { Config } from "../config/config.ts";
import { resolveSingle } from "../config/resolve.ts";
import type { Given } from "../config/sources.ts";
import type { FeedLog } from "../feed/log.ts";
import { routedAlert } from "../publishers/alerting/routed.ts";
import { Silences } from "../publishers/alerting/silences.ts";
import { routeTree } from "../routing/tree.ts";
import type { AlertJson } from "../schemas/alert-schema.ts";
import { parseCursor } from "../schemas/cursor.ts";
import { isNotified, isRepeated } from "../schemas/destinations/told.ts";
import type { Silence } from "../schemas/routes.ts";
import { terminalJson } from "../schemas/terminal-text.ts";
import { silentLogger } from "../telemetry/logger.ts";
import type { Io } from "./io.ts";
import { eventsBetween, eventsSince, Replay, sinceOf } from "./support/alert-replay.ts";
import { coloursFor, stderrColoursFor } from "./support/colours.ts";
import { EXIT_CODES } from "./support/exit.ts";
import { thingsIn, type GivenEvent } from "./support/given-alerts.ts";
import { routedEvent } from "./support/routed.ts";
import { routedText } from "./support/routed-texts.ts";
import { UsageError } from "./support/usage-error.ts";

export interface RoutesTestOptions {
  /** With alerts or events; or else one of the other two. */
  readonly file?: string | undefined;
  /** Of one event of the log. */
  readonly cursor?: string | undefined;
  /** Alerts that the log would have made since. */
  readonly since?: string | undefined;
  readonly json: boolean;
  readonly given: Given;
}

interface Found {
  readonly alerts: readonly AlertJson[];
  readonly events: readonly GivenEvent[];
  readonly silences: readonly Silence[];
}

/** Shows where alerts and events would go, and why. Nobody is told. Answers 1 where no route takes an alert. */
export async function testRoutes(options: RoutesTestOptions, io: Io): Promise<number> {
  const { config } = resolveSingle(options.given);
  const { alerts, events, silences } = await find(options, config, io);
  const tree = routeTree(
    config.routes,
    config.alertDestinations.filter(isNotified).map(({ name }) => name),
  );
  const alertmanagers = config.alertDestinations.filter(isRepeated);
  const nowMs = io.clock.now();
  const routed = {
    events: events.map((event) => routedEvent(event, config.destinations)),
    alerts: alerts.map((alert) => routedAlert(alert, { tree, alertmanagers, silences, nowMs })),
  };
  const page = { colours: coloursFor(io), columns: io.isTTY ? io.columns() : undefined };
  io.stdout.write(
    options.json ? `${terminalJson(JSON.stringify(routed, null, 2))}\n` : routedText(routed, page),
  );
  const isLost = routed.alerts.some(({ route }) => route === null);
  if (tree.length === 0)
    io.stderr.write(
      `${stderrColoursFor(io).yellow("warning:")} the configuration has no routes, and no destination for people\n`,
    );
  return isLost ? EXIT_CODES.failed : EXIT_CODES.ok;
}

async function find({ file, cursor, since }: RoutesTestOptions, config: Config, io: Io): Promise<Found> {
  if ([file, cursor, since].filter((one) => one !== undefined).length !== 1)
    throw new UsageError("Say what to test: a file, --cursor <cursor>, or --since <time or age>");
  const replay = new Replay(new RuleSet(config.alerts?.rules ?? []), { cluster: config.cluster });
  if (file !== undefined) return inFile(file, replay, io);
  const log = await openLogToRead(config.feed, { logger: silentLogger(), clock: io.clock });
  try {
    const silences = await new Silences({ log, clock: io.clock, logger: silentLogger() }).list();
    if (cursor !== undefined) return { ...(await atCursor(log, cursor, replay, io)), silences };
    for await (const entries of eventsSince(log, sinceOf(since ?? "", io.clock.now()), io.signal))
      replay.take(entries);
    return { alerts: replay.end(io.clock.now()), events: [], silences };
  } finally {
    await log[Symbol.asyncDispose]();
  }
}

function inFile(file: string, replay: Replay, io: Io): Found {
  const { alerts, events } = thingsIn(file, io.clock.now());
  const made = new Map<string, AlertJson>();
  for (const event of events) {
    replay.take([event]);
    for (const alert of replay.about(event.id)) made.set(alert.id, alert);
  }
  return { alerts: [...alerts, ...made.values()], events, silences: [] };
}

/** The event with what it makes of the log before it. */
async function atCursor(
  log: FeedLog,
  text: string,
  replay: Replay,
  io: Io,
): Promise<Omit<Found, "silences">> {
  const cursor = parseCursor(text);
  if (cursor === undefined) throw new UsageError(`--cursor: ${JSON.stringify(text)} is no cursor`);
  const { epoch, floor, sequence: newest } = await log.head();
  if (cursor.epoch !== epoch || cursor.sequence <= floor || cursor.sequence > newest)
    throw new UsageError(`--cursor: the log has no event ${text}`);
  const before = { epoch, sequence: floor };
  let last: GivenEvent | undefined;
  for await (const entries of eventsBetween(log, before, { end: cursor.sequence, signal: io.signal })) {
    replay.take(entries);
    last = entries.at(-1) ?? last;
  }
  return last === undefined ? { alerts: [], events: [] } : { alerts: replay.about(last.id), events: [last] };
}

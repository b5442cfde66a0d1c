import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { originalText, subscribe } from "../../packages/client/src/index.ts";
import { resolveConfig } from "../config/resolve.ts";
import { ListenFailed } from "../http/errors.ts";
import { formatCursor, type Cursor } from "../schemas/cursor.ts";
import { plainText } from "../schemas/terminal-text.ts";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { createBridge, type Serving } from "../bridge/bridge.ts";
import type { Io } from "./io.ts";
import { coloursFor, type Colours } from "./support/colours.ts";
import { loggerFor } from "./support/cli-logger.ts";
import { wrongObjects } from "./support/demo-audit.ts";
import { eventLine } from "./support/event-line.ts";
import { EXIT_CODES } from "./support/exit.ts";
import { writeText } from "./support/write-text.ts";
import { aborted } from "../shared/aborted.ts";
import { deadlineOf, type Clock } from "../shared/clock.ts";

export interface DemoOptions {
  /** Ends by itself after so long, ms; absent: at Ctrl-C. */
  readonly forMs?: number;
  readonly seed: number;
  readonly allocations: number;
  readonly changesPerSecond: number;
  /** Where the log is kept; absent: in a folder that goes with the demo. */
  readonly feed?: string;
  /** `host:port`; absent: the usual port, or any free one. */
  readonly listen?: string;
}

const USUAL_LISTEN = "127.0.0.1:4650";
/** Lines after which a person is told again where to look: the introduction has left the screen by then. */
const REMIND_AFTER_LINES = 100;
/** How long the feed may take to have seen everything once, ms. */
const START_MS = 60_000;
/** How long the feed may take to catch up once the cluster stands still, ms. */
const SETTLE_MS = 30_000;

/**
 * A simulated cluster, the bridge and a live view of its events in one process. In the end it holds the log
 * against the cluster's true state, object by object, and what the subscriber got against the log. Answers 1
 * where anything is missing.
 */
export async function demo(options: DemoOptions, io: Io): Promise<number> {
  await using parts = new AsyncDisposableStack();
  const simulator = createSimulator({
    seed: options.seed,
    allocations: options.allocations,
    namespaces: 3,
    region: "simulated",
  });
  parts.defer(() => simulator.close());
  const nomadUrl = await simulator.listen();
  const feed = options.feed ?? (await temporaryFeed(parts));
  const bridge = await startDemoBridge(nomadUrl, feed, options.listen, io);
  parts.use(bridge);
  await isReady(bridge, io);

  const colours = coloursFor(io);
  const beginning = await bridge.log.head();
  io.stdout.write(
    introduction({ simulator, bridge, nomadUrl, feed, kept: options.feed !== undefined, colours }),
  );
  const view = new LiveView(bridge, beginning, io, colours);
  parts.defer(() => view.close());

  const changesBefore = changesOf(simulator);
  const startedMs = io.clock.elapsed();
  simulator.start({ changesPerSecond: options.changesPerSecond });
  await Promise.race([untilEnd(options, io), bridge.ended, view.done]);
  simulator.stop();
  const seconds = Math.round((io.clock.elapsed() - startedMs) / 1000);
  const changes = changesOf(simulator) - changesBefore;
  const result = await settle({ bridge, simulator, view, beginning, clock: io.clock });
  io.stdout.write(summary({ ...result, seconds, changes }, colours));
  return result.wrong.length + result.undelivered === 0 ? EXIT_CODES.ok : EXIT_CODES.failed;
}

async function isReady(bridge: Serving, { clock, signal }: Io): Promise<void> {
  using deadline = deadlineOf(clock, START_MS);
  await bridge.ready(AbortSignal.any([signal, deadline.signal]));
}

/** Prints the events after a cursor as they arrive, and counts them. */
class LiveView {
  received = 0;
  /** Rejects where the stream cannot go on. */
  readonly done: Promise<void>;
  readonly #stop = new AbortController();

  constructor(bridge: Serving, after: Cursor, io: Io, colours: Colours) {
    this.done = this.#follow(bridge, after, io, colours);
  }

  async #follow(bridge: Serving, after: Cursor, io: Io, colours: Colours): Promise<void> {
    const { signal } = this.#stop;
    const { url } = bridge;
    const feed = subscribe({ url, cursor: formatCursor(after), signal, notices: ["client.disconnected"] });
    for await (const item of feed) {
      if (item.type === "client.disconnected") {
        io.stderr.write(`disconnected: ${plainText(item.reason)}\n`);
        continue;
      }
      this.received += 1;
      await writeText(io.stdout, `${eventLine(originalText(item), colours, io.columns())}\n`, signal);
      if (io.isTTY && this.received % REMIND_AFTER_LINES === 0) io.stdout.write(reminder(bridge, colours));
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.done.catch(() => undefined);
  }
}

function reminder({ url, consoleUrl }: Serving, colours: Colours): string {
  const where =
    consoleUrl === undefined ? `the feed is at ${url}/v1/events` : `the console is at ${consoleUrl}`;
  return `${colours.dim(`── ${where} ; Ctrl-C ends the demo ──`)}\n`;
}

interface Result {
  /** Events in the log since the beginning. */
  readonly events: number;
  readonly undelivered: number;
  /** Objects of which the log does not have the true state. */
  readonly wrong: readonly string[];
}

/** Waits until the feed has caught up with a cluster that stands still, or time is up. */
async function settle({
  bridge,
  simulator,
  view,
  beginning,
  clock,
}: {
  bridge: Serving;
  simulator: Simulator;
  view: LiveView;
  beginning: Cursor;
  clock: Clock;
}): Promise<Result> {
  const deadline = clock.elapsed() + SETTLE_MS;
  while (true) {
    const wrong = await wrongObjects(bridge.log, simulator.state());
    const events = (await bridge.log.head()).sequence - beginning.sequence;
    const undelivered = events - view.received;
    if ((wrong.length === 0 && undelivered === 0) || clock.elapsed() > deadline)
      return { events, undelivered, wrong };
    await clock.sleep(100);
  }
}

function changesOf({ journal }: Simulator): number {
  return journal.dropped + journal.entries.length;
}

function untilEnd({ forMs }: DemoOptions, { clock, signal }: Io): Promise<void> {
  return forMs === undefined ? aborted(signal) : clock.sleep(forMs, signal);
}

async function temporaryFeed(parts: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nomad-changefeed-demo-"));
  parts.defer(() => rm(folder, { recursive: true, force: true }));
  return `sqlite:${join(folder, "demo.db")}`;
}

interface DemoBridge extends Serving, AsyncDisposable {
  /** Rejects where the bridge cannot go on. */
  readonly ended: Promise<unknown>;
}

/** Without the operator's environment: it may speak of a real cluster. */
async function startDemoBridge(
  nomadAddr: string,
  feed: string,
  listen: string | undefined,
  io: Io,
): Promise<DemoBridge> {
  const flags = { nomadAddr, feed, cluster: "demo", wait: "5s" };
  const logger = loggerFor(io, { level: "warn", format: "auto" });
  const start = async (where: string): Promise<DemoBridge> => {
    const { config } = resolveConfig({ flags: { ...flags, listen: where }, env: {} });
    const bridge = createBridge(config, { logger, clock: io.clock });
    // The demo ends its parts in its own order, also at Ctrl-C.
    const stop = new AbortController();
    const ended = bridge.run(stop.signal);
    ended.catch(() => undefined);
    const close = async (): Promise<void> => {
      stop.abort();
      await ended.catch(() => undefined);
    };
    return { ...(await bridge.serving), ended, [Symbol.asyncDispose]: close };
  };
  try {
    return await start(listen ?? USUAL_LISTEN);
  } catch (error) {
    if (listen !== undefined || !(error instanceof ListenFailed)) throw error;
    return start("127.0.0.1:0");
  }
}

function introduction(given: {
  simulator: Simulator;
  bridge: Serving;
  nomadUrl: string;
  feed: string;
  kept: boolean;
  colours: Colours;
}): string {
  const { simulator, bridge, nomadUrl, feed, kept, colours } = given;
  const count = (resource: "nodes" | "allocations") => simulator.state().get(resource)?.size ?? 0;
  const socket = bridge.url.replace(/^http/, "ws");
  return [
    ...consoleLines(bridge, colours),
    `${colours.bold("A simulated Nomad cluster")} (${count("nodes")} nodes, ${count("allocations")} allocations): ${nomadUrl}`,
    `${colours.bold("Its change feed")}: ${bridge.url}/v1/events. In another terminal:`,
    "",
    `  curl -N ${bridge.url}/v1/events -H 'Accept: application/x-ndjson'`,
    `  npx wscat -c '${socket}/v1/events?types=jobs&minSeverity=WARN'`,
    `  curl '${bridge.url}/v1/events?signals=allocation.failed&since=10m'`,
    "",
    `${kept ? "The log" : "The log, gone with the demo"}: ${plainText(feed)}`,
    "Ctrl-C ends it. Every line is one event:",
    "\n",
  ].join("\n");
}

/** First of all: for most it is all they need. */
function consoleLines({ consoleUrl }: Serving, colours: Colours): string[] {
  if (consoleUrl === undefined) return [];
  return [
    `${colours.bold("The console")}: ${colours.bold(consoleUrl)}`,
    "Open it in a browser: every change as it happens, each object with its",
    "history, and what goes wrong.",
    "",
  ];
}

function summary(result: Result & { seconds: number; changes: number }, colours: Colours): string {
  const { events, undelivered, wrong, seconds, changes } = result;
  const lost = wrong.length + undelivered;
  const notes = [
    ...(events < changes
      ? [`${changes} changes became ${events} events: one per object between two polls.`]
      : []),
    ...(wrong.length > 0
      ? [`The log does not have the true state of ${plainText(wrong.slice(0, 5).join(", "))}.`]
      : []),
    ...(undelivered > 0 ? [`The subscriber did not get ${undelivered} of the log's events.`] : []),
  ];
  const line = `Demo over: ${changes} changes in ${seconds} s, ${events} events in the log, ${lost} lost`;
  return `\n${notes.map((note) => `${note}\n`).join("")}${lost === 0 ? colours.bold(line) : colours.red(line)}\n`;
}

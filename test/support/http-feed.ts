import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FeedLog, StateWrite } from "../../src/feed/log.ts";
import { systemClock, type Clock } from "../../src/shared/clock.ts";
import { createHttpServer, type HttpServerDeps, type HttpServerOptions } from "../../src/http/server.ts";
import { NoJob } from "../../src/reads/job-versions/errors.ts";
import { Silences } from "../../src/publishers/alerting/silences.ts";
import { Restarting } from "../../src/publishers/connection/errors.ts";
import { formatCursor } from "../../src/schemas/cursor.ts";
import type { EventDraft } from "../../src/schemas/draft.ts";
import type { ResourceType } from "../../src/schemas/resources.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { draft, SOURCE, type ObjectChange } from "./drafts.ts";
import { ScriptedDeliveries } from "./scripted-deliveries.ts";
import { openSqlite } from "./sqlite-files.ts";

interface RunningServer {
  /** As the end of its process would, or as a restart. Resolves when it has ended. */
  stop(reason?: "restart"): Promise<void>;
}

/** Nothing comes to pass by the clock alone, however slow the machine is, unless a test asks for it. */
const NEVER_MS = 24 * 3_600_000;
const BY_EVENTS_ONLY = { bookmarkIntervalMs: NEVER_MS, pingIntervalMs: NEVER_MS, stallTimeoutMs: NEVER_MS };

/** A real log in a directory of its own, and a real server on it. */
export class TestFeed implements AsyncDisposable {
  readonly log: FeedLog;
  readonly metrics = createMetrics();
  readonly #directory: string;
  readonly #cleanups: (() => PromiseLike<unknown>)[] = [];
  #lastWrite: Promise<unknown> = Promise.resolve();
  #commits = 0;
  #fence = 0;
  #rev = 0;

  private constructor(log: FeedLog, directory: string) {
    this.log = log;
    this.#directory = directory;
  }

  /** On the log given, which is closed with the feed, or on one of its own in SQLite. */
  static async open({
    log,
    ...options
  }: { clock?: Clock; log?: FeedLog; fsync?: boolean } = {}): Promise<TestFeed> {
    const directory = await mkdtemp(join(tmpdir(), "ncf-http-"));
    const path = join(directory, "feed.db");
    const own = log ?? (await openSqlite({ path, source: SOURCE, fsync: false, ...options }));
    return new TestFeed(own, directory);
  }

  /** What `--feed` takes; of a log of its own. */
  get location(): string {
    return `sqlite:${join(this.#directory, "feed.db")}`;
  }

  async commit(...events: EventDraft[]): Promise<string> {
    return this.write(events, []);
  }

  /** Commits objects with their changes. */
  async commitObjects(...changes: ObjectChange[]): Promise<string> {
    return this.write(
      changes.map(({ event }) => event),
      changes.map(({ state }) => state),
    );
  }

  /** One after the other, whoever calls. */
  async write(events: EventDraft[], state: StateWrite[]): Promise<string> {
    const turn = this.#lastWrite.then(() => this.#write(events, state));
    this.#lastWrite = turn.catch(() => undefined);
    return turn;
  }

  async #write(events: EventDraft[], state: StateWrite[]): Promise<string> {
    const scope = { resource: "allocations" as ResourceType, namespace: "*" };
    if (this.#fence === 0) this.#fence = (await this.log.claim(scope, "test")).fence;
    this.#commits += 1;
    const { rev } = await this.log.commit({
      scope,
      fence: this.#fence,
      expectedRev: this.#rev,
      commitId: `commit-${this.#commits}`,
      events,
      state,
    });
    this.#rev = rev;
    return this.headCursor();
  }

  /** Commits n allocation updates with ids `<prefix>1` to `<prefix>n`, `padding` characters larger than needed. */
  async commitMany(prefix: string, count: number, padding = 0): Promise<string[]> {
    const ids = Array.from({ length: count }, (_, position) => `${prefix}${position + 1}`);
    for (let first = 0; first < ids.length; first += 200) {
      await this.commit(
        ...ids
          .slice(first, first + 200)
          .map((id) => draft({ id, data: `{"id":"${id}","padding":"${"x".repeat(padding)}"}` })),
      );
    }
    return ids;
  }

  async headCursor(): Promise<string> {
    return formatCursor(await this.log.head());
  }

  /** Starts a server that is stopped with the feed, or before by `stop`. */
  async serve(
    options: Partial<HttpServerOptions> = {},
    deps: Partial<HttpServerDeps> = {},
  ): Promise<{ url: string; server: RunningServer }> {
    const server = createHttpServer(
      {
        log: this.log,
        logger: silentLogger(),
        metrics: this.metrics,
        clock: systemClock,
        source: SOURCE,
        signals: ["allocation.failed", "allocation.lost", "node.down"],
        liveness: () => ({ alive: true }),
        readiness: () => ({ ready: true, waiting: [] }),
        assignments: async () => [],
        reload: () => {
          throw new Error("this feed has no file");
        },
        alerts: async () => ({ asOf: null, alerts: [], ended: [], destinations: [] }),
        alertRoutes: async () => ({ routes: [], tested: null }),
        trails: () => [],
        jobVersions: { read: ({ namespace, job }) => Promise.reject(new NoJob(namespace, job)) },
        deliveries: new ScriptedDeliveries(),
        silences: new Silences({ log: this.log, clock: systemClock, logger: silentLogger() }),
        ...deps,
      },
      { host: "127.0.0.1", port: 0, ...BY_EVENTS_ONLY, ...options },
    );
    this.#cleanups.push(() => server[Symbol.asyncDispose]());
    const end = new AbortController();
    const running = server.run(end.signal);
    const stop = async (reason?: "restart"): Promise<void> => {
      end.abort(reason === "restart" ? new Restarting() : undefined);
      await running;
    };
    // Where it cannot listen, the next line tells.
    running.catch(() => undefined);
    const { url } = await server.listening;
    return { url, server: { stop } };
  }

  async closeServers(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0)) await cleanup();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeServers();
    await this.log[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

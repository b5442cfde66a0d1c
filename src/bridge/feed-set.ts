import type { FeedsServer } from "../http/feeds/server.ts";
import { FeedRun, type Feed, type FeedsOverrides } from "./feed-run.ts";
import type { SharedTelemetry } from "./overrides.ts";

interface FeedSetDeps {
  readonly server: Pick<FeedsServer, "mount" | "unmount">;
  /** Ends all of them. */
  readonly signal: AbortSignal;
  readonly overrides: FeedsOverrides;
  /** What sends the traces and metrics of all of them; undefined: nothing is sent. */
  readonly telemetry: SharedTelemetry["process"];
}

interface Member {
  readonly run: FeedRun;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** The feeds of a process behind its port, which may come and go. */
export class FeedSet {
  readonly #deps: FeedSetDeps;
  readonly #members = new Map<string, Member>();
  #isWhole = true;

  constructor(deps: FeedSetDeps) {
    this.#deps = deps;
  }

  /** Those that run, but for those that are ending. */
  runs(): readonly FeedRun[] {
    return [...this.#members.values()].filter(({ stop }) => !stop.signal.aborted).map(({ run }) => run);
  }

  get(name: string): FeedRun | undefined {
    return this.runs().find(({ feed }) => feed.name === name);
  }

  /** Begins a feed; one of the same name that is ending has ended before. */
  begin(feed: Feed): void {
    const { overrides, telemetry } = this.#deps;
    const run = new FeedRun(feed, overrides, telemetry);
    const stop = new AbortController();
    const former = this.#members.get(feed.name)?.done;
    this.#members.set(feed.name, { run, stop, done: this.#follow(run, stop.signal, former) });
  }

  /** Ends a feed, whose log stays; `why` is told to who reads all feeds. */
  end(name: string, why: string): void {
    this.#members.get(name)?.stop.abort(new Error(why));
  }

  /** Whether all that they saw is in their logs, once all have ended. */
  async ended(): Promise<boolean> {
    while (this.#members.size > 0) await Promise.all([...this.#members.values()].map(({ done }) => done));
    return this.#isWhole;
  }

  async #follow(run: FeedRun, stop: AbortSignal, former: Promise<void> | undefined): Promise<void> {
    await former;
    const { server, signal, overrides } = this.#deps;
    const { name } = run.feed;
    const until = AbortSignal.any([signal, stop]);
    if (!until.aborted) {
      const mount = server.mount(name);
      const leave = () => mount.leave((stop.reason as Error).message);
      stop.addEventListener("abort", leave, { once: true });
      this.#isWhole = (await run.run(mount, until)) && this.#isWhole;
      stop.removeEventListener("abort", leave);
      server.unmount(mount);
    }
    if (this.#members.get(name)?.run === run) this.#members.delete(name);
    overrides.logger.debug({ feed: name }, "the feed has ended");
  }
}

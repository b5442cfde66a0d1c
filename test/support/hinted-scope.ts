import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FeedLog } from "../../src/feed/log.ts";
import { openSqliteLog } from "../../src/feed/sqlite/open.ts";
import type { ListCause } from "../../src/pollers/hints/list-schedule.ts";
import type { PollerOptions } from "../../src/pollers/poller.ts";
import type { ScopeLoop } from "../../src/pollers/scope-loop.ts";
import type { Json } from "../../src/schemas/json.ts";
import { scopeName, type Scope } from "../../src/schemas/scope.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { checkLog, parseEvent, type SeenEvent, type Verdict } from "./feed-check.ts";
import { newScopeLoop, SOURCE } from "./scope-loop.ts";
import { ScriptedHints } from "./scripted-hints.ts";
import { ScriptedNomad } from "./scripted-nomad.ts";
import { TestClock } from "./test-clock.ts";
import { until } from "./until.ts";

/** One scope that is read by hints, over a Nomad, hints and a clock that the test moves by hand. */
export class HintedScope implements AsyncDisposable {
  readonly scope: Scope;
  readonly clock: TestClock;
  readonly log: FeedLog;
  readonly nomad = new ScriptedNomad();
  readonly hints = new ScriptedHints();
  readonly #directory: string;
  readonly #metrics = createMetrics();
  #abort = new AbortController();
  #loop: ScopeLoop | undefined;
  #done: Promise<unknown> = Promise.resolve();

  static async open(scope: Scope): Promise<HintedScope> {
    const directory = await mkdtemp(join(tmpdir(), "ncf-hinted-"));
    const clock = new TestClock();
    const log = await openSqliteLog({ path: join(directory, "feed.db"), source: SOURCE, clock });
    return new HintedScope(scope, { directory, clock, log });
  }

  private constructor(
    scope: Scope,
    { directory, clock, log }: { directory: string; clock: TestClock; log: FeedLog },
  ) {
    this.scope = scope;
    this.#directory = directory;
    this.clock = clock;
    this.log = log;
  }

  get loop(): ScopeLoop {
    if (this.#loop === undefined) throw new Error("not started");
    return this.#loop;
  }

  /** Whole lists that were asked for. */
  get lists(): number {
    return this.nomad.requests.filter(({ perPage }) => perPage === undefined).length;
  }

  /** Whole lists that became due for that cause, while it was read by hints. */
  async listsBy(cause: ListCause): Promise<number> {
    const { values } = await this.#metrics.fullLists.get();
    const { resource } = this.scope;
    return values.find(({ labels }) => labels.cause === cause && labels.resource === resource)?.value ?? 0;
  }

  /** Indexes that the doorbell was asked with. */
  get rings(): readonly (string | undefined)[] {
    return this.nomad.requests
      .filter(({ perPage, prefix }) => perPage === 1 && prefix === undefined)
      .map(({ index }) => index);
  }

  /** Keys of the objects that were asked for one by one. */
  get reads(): readonly string[] {
    return this.nomad.requests.flatMap(({ prefix }) => prefix ?? []);
  }

  start(options: Partial<PollerOptions> = {}): void {
    const { clock, log, nomad, hints } = this;
    const deps = { clock, log, nomad, hints, metrics: this.#metrics };
    this.#loop = newScopeLoop(this.scope, deps, { reading: "hinted", ...options });
    this.#done = this.#loop.run(this.#abort.signal);
  }

  /** Starts it and waits until hints are followed and the doorbell waits. */
  async startHinted(options: Partial<PollerOptions> = {}): Promise<void> {
    this.start(options);
    await this.passUntil(
      "the doorbell waits",
      () => this.loop.report().reading === "hinted" && this.rings.length > 0,
    );
  }

  async stop(): Promise<void> {
    this.#abort.abort(new Error("end of test"));
    await this.#done;
    this.#abort = new AbortController();
  }

  /** Lets time pass in steps until the condition holds. */
  async passUntil(what: string, condition: () => boolean, stepMs = 250): Promise<void> {
    await until(what, async () => {
      if (condition()) return true;
      await this.clock.advance(stepMs);
      return condition();
    });
  }

  async everything(): Promise<SeenEvent[]> {
    const { epoch, floor } = await this.log.head();
    const all = await this.log.read({ epoch, sequence: floor }, { limit: 10_000, maxBytes: 1 << 28 });
    return all.map((entry) => parseEvent(entry.json));
  }

  /** After the baseline. */
  async events(): Promise<SeenEvent[]> {
    const all = await this.everything();
    return all.filter(({ type }) => type !== "nomad.feed.baseline" && !type.endsWith(".snapshot"));
  }

  count(atLeast: number): Promise<SeenEvent[]> {
    return until(`${atLeast} events`, async () => {
      const all = await this.events();
      return all.length >= atLeast && all;
    });
  }

  /** What the log folds to, held to these objects. */
  async verdict(stubs: readonly { ID: string }[]): Promise<Verdict> {
    const objects = stubs.map((stub) => [`${scopeName(this.scope)}/${stub.ID}`, stub as Json] as const);
    return checkLog(await this.everything(), new Map(objects));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.log[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

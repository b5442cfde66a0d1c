import { RULES } from "../../src/alerts/rules/table.ts";
import type { AnyRule } from "../../src/alerts/rules/rule.ts";
import { buildChangeEvents } from "../../src/events/build.ts";
import { Alerting } from "../../src/publishers/alerting/alerting.ts";
import { createFanout } from "../../src/publishers/fanout/fanout.ts";
import type { AlertReplica } from "../../src/publishers/alerting/alert-replica.ts";
import type { SendResult } from "../../src/publishers/delivery/destination.ts";
import type { ToldConfig } from "../../src/schemas/destinations/told.ts";
import type { RouteSettings, Silence } from "../../src/schemas/routes.ts";
import type {
  AlertDestination,
  AlertMessage,
  AlertSendResult,
} from "../../src/publishers/alerting/alert-destination.ts";
import type { AlertJson, AlertList } from "../../src/schemas/alert-schema.ts";
import type { AssignmentStatus } from "../../src/schemas/assignment-schema.ts";
import { subjectOf, type ResourceType } from "../../src/schemas/resources.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import type { FeedLog } from "../../src/feed/log.ts";
import { breakable } from "./breakable-log.ts";
import { SOURCE } from "./drafts.ts";
import { changeOf, contextOf, SAMPLES } from "./event-fixtures.ts";
import { TestFeed } from "./http-feed.ts";
import { TestClock } from "./test-clock.ts";

export interface Worker {
  readonly alerting: Alerting;
  readonly metrics: Metrics;
  readonly stop: AbortController;
  readonly ending: Promise<unknown>;
}

/** Takes what it is sent, or answers what the test says. */
export class ScriptedReplica implements AlertReplica {
  readonly target: string;
  readonly resendMs = 60_000;
  /** `JobFailing firing`, of each send. */
  readonly sent: string[][] = [];
  answer: SendResult = { outcome: "ok" };

  constructor(target = "http://alerts.example") {
    this.target = target;
  }

  async send(alerts: readonly AlertJson[], isWhole: boolean): Promise<SendResult> {
    const names = alerts.map(({ rule, state }) => `${rule} ${state}`);
    this.sent.push([...(isWhole ? ["all"] : []), ...names]);
    return this.answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Reads what it is told, and answers what the test says. */
export class ScriptedPerson implements AlertDestination {
  readonly target = "http://people.example";
  /** `DeploymentFailed firing`, of each message; behind it what was remembered. */
  readonly messages: string[] = [];
  answer: AlertSendResult | Promise<never> = { outcome: "ok" };

  async send({ firing, resolved, remembered }: AlertMessage): Promise<AlertSendResult> {
    const names = [...firing, ...resolved].map(({ rule, state }) => `${rule} ${state}`);
    this.messages.push([...names, ...(remembered === null ? [] : [JSON.stringify(remembered)])].join(", "));
    return this.answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** A real log with objects that a test changes, on a clock of the test's, and workers that make alerts of it. */
export class AlertRig implements AsyncDisposable {
  readonly clock: TestClock;
  readonly feed: TestFeed;
  /** When all scopes were read last; null: they are yet to be. */
  readAtMs: number | null = null;
  /** What the clock of whoever reads Nomad says more than the log's. */
  aheadMs = 0;
  readonly #objects = new Map<string, object>();
  readonly workers: Worker[] = [];
  readonly #people = new Map<string, ScriptedPerson>();
  metricsMaxJobs = 10;
  /** What happens just after a worker has begun to read all objects. */
  whileRead: () => Promise<void> = async () => undefined;
  /** Destinations that cannot be opened. */
  readonly broken = new Set<string>();
  /** In force. */
  silences: Silence[] = [];
  readonly #destinations = new Map<string, ScriptedReplica>();

  private constructor(feed: TestFeed, clock: TestClock) {
    this.feed = feed;
    this.clock = clock;
  }

  static async open(): Promise<AlertRig> {
    const clock = new TestClock();
    return new AlertRig(await TestFeed.open({ clock }), clock);
  }

  /** The object is there with these fields, beside those it had, or those of the sample. */
  async put(resource: ResourceType, fields: object): Promise<void> {
    const sample = { ...SAMPLES[resource], ...fields };
    const subject = subjectOf(changeOf(resource, undefined, sample).ref);
    const before = this.#objects.get(subject);
    const after = { ...sample, ...before, ...fields };
    this.#objects.set(subject, after);
    const change = changeOf(resource, before, after);
    const context = contextOf({ observedAt: new Date(this.clock.now() + this.aheadMs).toISOString() });
    const stub = Buffer.from(JSON.stringify(after));
    const next = { rev: String(this.clock.now()), stub };
    await this.feed.write(buildChangeEvents(change, context), [{ ref: change.ref, next }]);
    await this.pass(1);
  }

  /** Time passes, for whoever makes alerts too. The scopes go on being read. */
  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    if (this.readAtMs !== null) this.readAtMs = this.clock.now();
  }

  /** A worker that makes alerts, which takes them from whoever made them before. */
  begin(
    rules: readonly AnyRule[] = RULES,
    alertDestinations: readonly ToldConfig[] = [],
    routes: readonly RouteSettings[] = [],
  ): Worker {
    const log = this.#log();
    const metrics = createMetrics();
    const logger = silentLogger();
    const alerting = new Alerting({
      ...createFanout({ log, metrics, logger, clock: this.clock }),
      log,
      metrics,
      logger,
      clock: this.clock,
      source: SOURCE,
      worker: `host/${this.workers.length}/a`,
      assignments: async () => this.#scopes(),
      metricsMaxJobs: this.metricsMaxJobs,
      random: () => 0.5,
      open: async ({ name, settings: { urls } }) =>
        urls.length === 1
          ? [this.destination(this.#mayOpen(name))]
          : urls.map((url) => new ScriptedReplica(url)),
      notify: async ({ name }) => this.person(this.#mayOpen(name)),
      silences: async () => this.silences,
    });
    alerting.configure({ alerts: { rules }, alertDestinations, routes });
    const stop = new AbortController();
    const ending = alerting.perform("alerts", stop.signal);
    ending.catch(() => undefined);
    const worker = { alerting, metrics, stop, ending };
    this.workers.push(worker);
    return worker;
  }

  person(name: string): ScriptedPerson {
    const person = this.#people.get(name) ?? new ScriptedPerson();
    this.#people.set(name, person);
    return person;
  }

  destination(name: string): ScriptedReplica {
    const destination = this.#destinations.get(name) ?? new ScriptedReplica();
    this.#destinations.set(name, destination);
    return destination;
  }

  /** What a worker says that has nothing to do with them: `JobFailing web`, and with its reason what ended. */
  async told(): Promise<{ firing: string[]; pending: string[]; ended: string[] }> {
    const { alerts, ended } = await this.list();
    const named = (state: string) =>
      alerts.filter((alert) => alert.state === state).map(({ rule, labels }) => `${rule} ${labels["job"]}`);
    return {
      firing: named("firing").toSorted(),
      pending: named("pending").toSorted(),
      ended: ended.map(({ rule, labels, reason }) => `${rule} ${labels["job"]}: ${reason}`),
    };
  }

  async list(): Promise<AlertList> {
    const [worker] = this.workers;
    if (worker === undefined) throw new Error("nobody makes alerts");
    return worker.alerting.list();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { stop } of this.workers) stop.abort();
    await this.clock.finish(Promise.allSettled(this.workers.map(({ ending }) => ending)));
    await this.feed[Symbol.asyncDispose]();
  }

  #mayOpen(name: string): string {
    if (this.broken.has(name)) throw new Error(`${name} cannot be opened`);
    return name;
  }

  #log(): FeedLog {
    const { log } = this.feed;
    const consistentRead = async () => {
      const read = await log.consistentRead();
      await this.whileRead();
      return read;
    };
    return { ...breakable(log), consistentRead };
  }

  #scopes(): AssignmentStatus[] {
    const nothing = { reading: null, reason: null, index: null, objects: null, lagMs: null };
    const place = { assignment: "allocations/*", state: "held", worker: "host/1/a", since: null } as const;
    const lastOkAt = this.readAtMs === null ? null : new Date(this.readAtMs).toISOString();
    return [{ ...place, ...nothing, condition: this.readAtMs === null ? "starting" : "ok", lastOkAt }];
  }
}

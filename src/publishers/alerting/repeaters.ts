import type { DestinationState } from "../../schemas/alert-schema.ts";
import type { RepeatedConfig } from "../../schemas/destinations/told.ts";
import { aborted } from "../../shared/aborted.ts";
import { Meter, type DeliveryMetrics } from "../delivery/meter.ts";
import type { AlertReplica } from "./alert-replica.ts";
import type { View } from "./firing.ts";
import { Repeater, type RepeaterDeps } from "./repeater.ts";

/** How long one rests that could not be opened. */
export const OPEN_AGAIN_MS = 60_000;

export interface RepeatersDeps extends Omit<RepeaterDeps, "meter"> {
  readonly metrics: DeliveryMetrics;
  /** All places that a destination consists of. Rejects where the settings are wrong. */
  readonly open: (config: RepeatedConfig) => Promise<readonly AlertReplica[]>;
}

interface Running {
  readonly fingerprint: string;
  readonly stop: AbortController;
  readonly done: Promise<void>;
  repeaters: readonly Repeater[];
}

/** The destinations of alerts of the configuration, each told for as long as it is in there. */
export class Repeaters {
  readonly #deps: RepeatersDeps;
  #configured: readonly RepeatedConfig[] = [];
  readonly #running = new Map<string, Running>();
  #view: View | undefined;
  #failed = Promise.withResolvers<never>();
  #isRunning = false;

  constructor(deps: RepeatersDeps) {
    this.#deps = deps;
  }

  /** What is unchanged goes on. */
  configure(destinations: readonly RepeatedConfig[]): void {
    this.#configured = destinations;
    if (this.#isRunning) this.#reconcile();
  }

  tell(view: View): void {
    this.#view = view;
    for (const { repeaters } of this.#running.values()) for (const repeater of repeaters) repeater.tell(view);
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#view = undefined;
    this.#failed = Promise.withResolvers();
    this.#isRunning = true;
    this.#reconcile();
    try {
      await Promise.race([aborted(signal), this.#failed.promise]);
    } finally {
      this.#isRunning = false;
      const running = [...this.#running.values()];
      this.#running.clear();
      for (const { stop } of running) stop.abort();
      await Promise.allSettled(running.map(({ done }) => done));
    }
  }

  /** How each place is told, as this process knows. */
  states(): DestinationState[] {
    return [...this.#running].flatMap(([name, { repeaters }]) =>
      repeaters.map((repeater) => ({ name, ...repeater.state })),
    );
  }

  #reconcile(): void {
    const wanted = new Map(this.#configured.map((config) => [config.name, config]));
    for (const [name, { fingerprint, stop }] of this.#running) {
      if (wanted.get(name)?.fingerprint === fingerprint) continue;
      stop.abort();
      this.#running.delete(name);
    }
    for (const config of wanted.values()) if (!this.#running.has(config.name)) this.#start(config);
  }

  #start(config: RepeatedConfig): void {
    const stop = new AbortController();
    const running: Running = {
      fingerprint: config.fingerprint,
      stop,
      repeaters: [],
      done: Promise.resolve().then(() => this.#repeat(config, running)),
    };
    this.#running.set(config.name, running);
    running.done.catch((error: unknown) => this.#failed.reject(error));
  }

  /** One that cannot be opened keeps nobody else from being told. None once `signal` aborts. */
  async #opened(config: RepeatedConfig, signal: AbortSignal): Promise<readonly AlertReplica[]> {
    const { clock, logger, open } = this.#deps;
    while (!signal.aborted) {
      try {
        return await open(config);
      } catch (error) {
        const destination = config.name;
        logger.error({ err: error, destination }, "cannot open a destination of alerts; it is tried again");
        await clock.sleep(OPEN_AGAIN_MS, signal);
      }
    }
    return [];
  }

  async #repeat(config: RepeatedConfig, running: Running): Promise<void> {
    await using opened = new AsyncDisposableStack();
    const destinations = await this.#opened(config, running.stop.signal);
    const { name, settings } = config;
    for (const destination of destinations) opened.use(destination);
    const { timeout: timeoutMs, retry } = settings;
    const options = { name, timeoutMs, retry: { firstMs: retry.first, mostMs: retry.most } };
    running.repeaters = destinations.map((destination) => {
      const label = destinations.length === 1 ? name : `${name} ${destination.target}`;
      const meter = new Meter(this.#deps.metrics, label);
      return new Repeater(destination, options, { ...this.#deps, meter });
    });
    if (this.#view !== undefined) for (const repeater of running.repeaters) repeater.tell(this.#view);
    await Promise.all(running.repeaters.map((repeater) => repeater.run(running.stop.signal)));
  }
}

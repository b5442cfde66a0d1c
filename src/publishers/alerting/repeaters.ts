import { matching } from "../../routing/matching.ts";
import type { RepeatedConfig } from "../../schemas/destinations/told.ts";
import { aborted } from "../../shared/aborted.ts";
import type { AlertReplica } from "./alert-replica.ts";
import type { View } from "./firing.ts";
import type { Places, PlacesDeps } from "./places.ts";
import { Repeater } from "./repeater.ts";

/** How long one rests that could not be opened. */
export const OPEN_AGAIN_MS = 60_000;

export interface RepeatersDeps extends Pick<PlacesDeps, "clock" | "logger"> {
  readonly places: Places;
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
    const { clock, logger, open, places } = this.#deps;
    const destination = config.name;
    while (!signal.aborted) {
      try {
        return await open(config);
      } catch (error) {
        logger.error({ err: error, destination }, "cannot open a destination of alerts; it is tried again");
        places.cannotOpen(destination, error);
        await clock.sleep(OPEN_AGAIN_MS, signal);
      }
    }
    places.givenUp(destination);
    return [];
  }

  async #repeat(config: RepeatedConfig, running: Running): Promise<void> {
    await using opened = new AsyncDisposableStack();
    const destinations = await this.#opened(config, running.stop.signal);
    const isOne = destinations.length === 1;
    const { places, clock } = this.#deps;
    for (const destination of destinations) opened.use(destination);
    running.repeaters = destinations.map((destination) => {
      const { target } = destination;
      const repeater = new Repeater(destination, {
        clock,
        matching: matching(config.settings),
        place: (waiting) => places.open(config, { target, isOne }, waiting),
      });
      opened.defer(async () => places.close(repeater.place));
      return repeater;
    });
    if (this.#view !== undefined) for (const repeater of running.repeaters) repeater.tell(this.#view);
    await Promise.all(running.repeaters.map((repeater) => repeater.run(running.stop.signal)));
  }
}

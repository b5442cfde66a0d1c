import type { NomadApi } from "../../nomad/api.ts";
import type { NomadError } from "../../nomad/errors.ts";
import type { Scope } from "../../schemas/scope.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { aborted } from "../../shared/aborted.ts";
import { RefusedRecheck } from "../refused-recheck.ts";
import type { StreamListener } from "./audience.ts";
import { coverageOf } from "./coverage.ts";
import type { HintSourceState } from "./hint.ts";
import { StreamReporter } from "./stream-reporter.ts";
import { Subscription, type SubscriptionDeps } from "./subscription.ts";

export interface HintSourceDeps {
  readonly nomad: NomadApi;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface HintSourceOptions {
  /** Longest time between two tries after a break, ms. */
  readonly maxBackoffMs?: number;
  /** Is given every frame once, as Nomad wrote it. */
  readonly record?: (line: Buffer) => void;
}

/** Streams at once, where the token may not hear all namespaces. */
const MAX_STREAMS = 8;
const ALL = "*";

/** The token may not hear all namespaces, and perhaps some. */
const DENIED: ReadonlySet<string> = new Set(["NOMAD_STREAM_DENIED", "NOMAD_FORBIDDEN"]);

/** What is to be followed, and who hears of it. */
export interface StreamDemand {
  /** Call `demandChanged` when they are others. */
  readonly scopes: () => readonly Scope[];
  readonly listener: StreamListener;
}

/**
 * Follows Nomad's event stream for whatever scopes are demanded. It follows one stream of all namespaces: only that
 * explains the indexes of tables, which are the same for all. Where the token may not hear all, it follows one stream
 * for each namespace, and tries the other again from time to time.
 */
export class StreamFollower {
  readonly #deps: SubscriptionDeps;
  readonly #scopes: () => readonly Scope[];
  #streams: readonly Stream[] = [];
  /** Ends the present way of following, for another. */
  #stop = new AbortController();

  constructor(
    { nomad, clock, random, logger, metrics }: HintSourceDeps,
    options: HintSourceOptions,
    { scopes, listener }: StreamDemand,
  ) {
    this.#scopes = scopes;
    this.#deps = {
      nomad,
      clock,
      random,
      metrics,
      listener,
      reporter: new StreamReporter(logger, clock),
      maxBackoffMs: options.maxBackoffMs ?? 30_000,
      record: options.record ?? (() => undefined),
    };
  }

  get state(): HintSourceState {
    if (this.#scopes().length === 0) return { kind: "off" };
    const states = this.#streams.map(({ subscription }) => subscription.state);
    const worst = ["unavailable", "connecting", "live"] as const;
    const found = worst.map((kind) => states.find((state) => state.kind === kind));
    return found.find((state) => state !== undefined) ?? { kind: "connecting" };
  }

  demandChanged(): void {
    if (this.#isFollowedOtherwise()) this.#stop.abort();
    else for (const { subscription } of this.#streams) subscription.demandChanged();
  }

  /** There may be namespaces that were not there when the stream of all began: it is begun anew, without a gap. */
  renew(): void {
    for (const { namespace, subscription } of this.#streams) if (namespace === ALL) subscription.renew();
  }

  /** Follows while there is a demand; resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#stop = new AbortController();
      await this.#follow(AbortSignal.any([signal, this.#stop.signal]));
      this.#streams = [];
      this.#deps.metrics.hintStreamLive.reset();
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    if (this.#scopes().length === 0) {
      await aborted(signal);
      return;
    }
    const isDenied = await this.#followAll(signal);
    if (isDenied) await this.#followEach(signal);
  }

  /** Whether it was left for that the token may not hear all namespaces. */
  async #followAll(signal: AbortSignal): Promise<boolean> {
    const [stream] = this.#openStreams([ALL]);
    return this.#runStream(
      stream as Stream,
      signal,
      ({ code }) => DENIED.has(code) && this.#namespaces() !== undefined,
    );
  }

  async #followEach(signal: AbortSignal): Promise<void> {
    const streams = this.#openStreams(this.#namespaces() ?? []);
    this.#deps.reporter.follows([ALL, ...streams.map(({ namespace }) => namespace)]);
    try {
      await Promise.all([
        ...streams.map((stream) => this.#runStream(stream, signal, () => false)),
        this.#untilAllMayBeHeard(signal),
      ]);
    } finally {
      this.#stop.abort();
    }
  }

  /** Until the signal aborts; a refusal that is one to leave for is answered true. */
  async #runStream(
    { subscription }: Stream,
    signal: AbortSignal,
    mayLeave: (refusal: NomadError) => boolean,
  ): Promise<boolean> {
    for (;;) {
      const refusal = await subscription.run(signal);
      if (refusal === undefined) return false;
      if (mayLeave(refusal)) return true;
      await this.#deps.clock.sleep(subscription.unavailable(refusal), signal);
    }
  }

  async #untilAllMayBeHeard(signal: AbortSignal): Promise<void> {
    const { clock, nomad } = this.#deps;
    const recheck = new RefusedRecheck();
    for (;;) {
      await clock.sleep(recheck.next(), signal);
      if (signal.aborted) return;
      const { topics } = coverageOf(this.#scopes());
      const stream = await nomad
        .events({ topics: [...topics], namespace: ALL, signal })
        .catch(() => undefined);
      await stream?.[Symbol.asyncDispose]();
      if (stream !== undefined) this.#stop.abort();
    }
  }

  #openStreams(namespaces: readonly string[]): readonly Stream[] {
    this.#streams = namespaces.map((namespace) => {
      const scopes = () => this.#scopes().filter((scope) => this.#streamFor(scope)?.namespace === namespace);
      return { namespace, subscription: new Subscription(this.#deps, namespace, scopes) };
    });
    return this.#streams;
  }

  /** The namespaces that are demanded, where there can be a stream for each. */
  #namespaces(): string[] | undefined {
    const { namespaces } = coverageOf(this.#scopes());
    const named = [...namespaces].filter((namespace) => namespace !== "-");
    if (namespaces.has(ALL) || named.length > MAX_STREAMS) return undefined;
    return named.length === 0 ? ["default"] : named;
  }

  /** What is in no namespace is in every stream. */
  #streamFor(scope: Scope): Stream | undefined {
    return this.#streams.find(
      ({ namespace }) => namespace === ALL || namespace === scope.namespace || scope.namespace === "-",
    );
  }

  /** Whether what is demanded now needs other streams than there are. */
  #isFollowedOtherwise(): boolean {
    const names = this.#streams.map(({ namespace }) => namespace);
    if (names.length === 0 || this.#scopes().length === 0)
      return names.length > 0 || this.#scopes().length > 0;
    return !names.includes(ALL) && names.toSorted().join() !== this.#namespaces()?.toSorted().join();
  }
}

interface Stream {
  readonly namespace: string;
  readonly subscription: Subscription;
}

import type { Broadcast, BroadcastListener, Voice } from "../../coordination/broadcast.ts";
import type { Ending } from "../../coordination/coordination.ts";
import type { Scope } from "../../schemas/scope.ts";
import { aborted } from "../../shared/aborted.ts";
import { Audience, type StreamListener } from "./audience.ts";
import type { Coverage } from "./coverage.ts";
import type { RaftEntry } from "./frame.ts";
import type { HintProvider } from "./hint-source.ts";
import type { HintListener, HintSourceState, HintSubscription } from "./hint.ts";
import { entryMessage, entryOf, liveMessage, parseHintMessage, type HintMessage } from "./hint-messages.ts";
import { StreamReporter } from "./stream-reporter.ts";
import { StreamFollower, type HintSourceDeps, type HintSourceOptions } from "./stream-follower.ts";

export interface SharedHintSourceDeps extends HintSourceDeps {
  readonly broadcast: Broadcast;
  /** Every scope that is to be watched, by whichever process. */
  readonly planned: () => readonly Scope[];
}

/**
 * Hints for the scopes of all processes that share a feed, of one subscription: the process that performs `hints`
 * follows Nomad's event stream and tells the others what it hears. Its own scopes hear it directly.
 */
export class SharedHintSource implements HintProvider {
  readonly #deps: SharedHintSourceDeps;
  readonly #audience: Audience;
  readonly #follower: StreamFollower;
  readonly #reporter: StreamReporter;
  /** While this process follows the stream. */
  #voice: Voice | undefined;
  /** Of the others, while one of them does. */
  #receiver: Receiver | undefined;
  /** Streams that are live here, while this process follows them. */
  readonly #live = new Map<string, Coverage>();
  /** Aborts when this process begins to follow the stream, or ceases. */
  #changed = new AbortController();

  constructor(deps: SharedHintSourceDeps, options: HintSourceOptions = {}) {
    this.#deps = deps;
    this.#audience = new Audience(deps.metrics, () => undefined);
    this.#reporter = new StreamReporter(deps.logger, deps.clock);
    this.#follower = new StreamFollower(deps, options, { scopes: deps.planned, listener: this.#teller() });
  }

  get state(): HintSourceState {
    return this.#voice === undefined ? { kind: "off" } : this.#follower.state;
  }

  /** See `HintSource.want`. */
  want(scope: Scope, listener: HintListener): HintSubscription {
    return this.#audience.want(scope, listener);
  }

  /** See `HintSource.renew`; whoever follows the stream does it. */
  renew(): void {
    if (this.#voice !== undefined) this.#follower.renew();
    // While Redis is away, nobody hears hints either.
    else this.#deps.broadcast.ask().catch(() => undefined);
  }

  replanned(): void {
    this.#follower.demandChanged();
  }

  async run(signal: AbortSignal): Promise<Ending> {
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const speech = {
      status: () => JSON.stringify(liveMessage(this.#live)),
      onAsked: () => this.#follower.renew(),
    };
    this.#voice = this.#deps.broadcast.speak(speech, both);
    this.#receiver?.close("this process follows the event stream itself");
    this.#changed.abort();
    const following = this.#follower.run(both);
    // Rejects with a defect, which ends the other too.
    following.catch(() => stop.abort());
    try {
      return await this.#voice.ended;
    } finally {
      stop.abort();
      await following;
      this.#voice = undefined;
      this.#changed.abort();
    }
  }

  async listen(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#changed = new AbortController();
      const untilChanged = AbortSignal.any([signal, this.#changed.signal]);
      if (this.#voice !== undefined) await aborted(untilChanged);
      else await this.#hearOthers(untilChanged);
    }
  }

  async #hearOthers(signal: AbortSignal): Promise<void> {
    this.#receiver = new Receiver(this.#audience, (stream, reason) => this.#missed(stream, reason));
    await this.#deps.broadcast.listen(this.#receiver, signal);
    this.#receiver = undefined;
  }

  #missed(stream: string, reason: string): void {
    this.#deps.metrics.hintLosses.inc();
    this.#reporter.lost(stream, reason);
  }

  /** Tells the scopes of this process, and all others. */
  #teller(): StreamListener {
    const say = (message: HintMessage) => this.#voice?.say(JSON.stringify(message));
    return {
      onLive: (stream, coverage) => {
        this.#live.set(stream, coverage);
        this.#audience.onLive(stream, coverage);
        say(liveMessage(this.#live));
      },
      onEntry: (stream: string, entry: RaftEntry) => {
        this.#audience.onEntry(stream, entry);
        say(entryMessage(stream, entry));
      },
      onGap: (stream, reason) => {
        this.#live.delete(stream);
        this.#audience.onGap(stream, reason);
        say({ kind: "gap", stream, reason });
      },
    };
  }
}

/** What another process tells, for the scopes of this one. */
class Receiver implements BroadcastListener {
  readonly #audience: Audience;
  readonly #onMissed: (stream: string, reason: string) => void;
  #isClosed = false;

  constructor(audience: Audience, onMissed: (stream: string, reason: string) => void) {
    this.#audience = audience;
    this.#onMissed = onMissed;
  }

  onMessage(text: string): void {
    if (this.#isClosed) return;
    const message = parseHintMessage(text);
    if (message === undefined) this.onBreak("another version of this program follows the event stream");
    else this.#take(message);
  }

  onBreak(reason: string): void {
    if (this.#isClosed) return;
    for (const stream of this.#audience.streams) {
      this.#onMissed(stream, reason);
      this.#audience.onGap(stream, reason);
    }
  }

  /** Nothing is heard any more. */
  close(reason: string): void {
    this.onBreak(reason);
    this.#isClosed = true;
  }

  #take(message: HintMessage): void {
    if (message.kind === "entry") this.#audience.onEntry(message.stream, entryOf(message));
    else if (message.kind === "gap") this.#audience.onGap(message.stream, message.reason);
    else this.#takeLive(message.streams);
  }

  #takeLive(streams: Extract<HintMessage, { kind: "live" }>["streams"]): void {
    const live = new Set(streams.map(({ stream }) => stream));
    for (const stream of this.#audience.streams) {
      if (!live.has(stream)) this.#audience.onGap(stream, "the event stream is followed in another way");
    }
    for (const { stream, topics, namespaces } of streams) {
      this.#audience.onLive(stream, { topics: new Set(topics), namespaces: new Set(namespaces) });
    }
  }
}

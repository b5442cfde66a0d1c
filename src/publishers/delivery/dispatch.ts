import type { FeedLog } from "../../feed/log.ts";
import { Alarm } from "../../shared/alarm.ts";
import type { Circuit } from "./circuit.ts";
import type { Destination } from "./destination.ts";
import type { DeliveryOptions } from "./options.ts";
import { gapNotice, outgoingOf, recordedTimeOf } from "./outgoing.ts";
import type { Place } from "./position.ts";
import { Reader, type Read, type ReaderDeps } from "./reader.ts";
import { Sender, type Outlet, type SenderDeps } from "./sender.ts";
import { Window, type Taken } from "./window.ts";

/** What is read ahead for one destination at most, and what is read at once. */
const WINDOW = { events: 2048, bytes: 4 * 1024 * 1024 };
/** What is read while no more may be out than is: the longer it waits, the more often memory is tidied with it in it. */
const AHEAD = 128;

type Limits = Parameters<Window["take"]>[0];

export interface DispatchDeps extends ReaderDeps, SenderDeps {
  readonly log: Pick<FeedLog, "read" | "head" | "cursorAt" | "deadLetters">;
  readonly source: string;
}

/**
 * Delivers from a place on until it is stopped: reads ahead within a window, and sends what may go. Its place moves only
 * past events that the destination took, that were parked, or that were passed over.
 */
export class Dispatch {
  readonly #options: DeliveryOptions;
  readonly #limits: Limits;
  readonly #circuit: Circuit;
  readonly #deps: DispatchDeps;
  readonly #window: Window;
  readonly #reader: Reader;
  readonly #sender: Sender;
  readonly #alarm: Alarm;
  readonly #cut = new AbortController();
  readonly #sends = new Set<Promise<void>>();
  readonly #failed = Promise.withResolvers<never>();
  #room = Promise.withResolvers<void>();
  #isStopping = false;

  constructor(start: Place, outlet: Outlet, deps: DispatchDeps) {
    const { destination, options, circuit } = outlet;
    this.#limits = limitsOf(destination, options);
    this.#options = options;
    this.#circuit = circuit;
    this.#deps = deps;
    this.#window = new Window(start, options.ordering === "strict");
    this.#reader = new Reader(start, options.conditions, deps, (place) => this.#window.reached(place));
    this.#sender = new Sender(this.#window, outlet, this.#cut.signal, deps);
    this.#alarm = new Alarm(deps.clock);
    this.#failed.promise.catch(() => undefined);
  }

  /** Everything up to there is dealt with. */
  get place(): Place {
    return this.#window.place;
  }

  get pendingBytes(): number {
    return this.#window.bytes;
  }

  /** When the oldest event was recorded that is read and not dealt with; null where there is none. */
  get oldestMs(): number | null {
    return this.#window.oldest?.recordedMs ?? null;
  }

  /**
   * Until `signal` aborts. What is under way then has `graceMs` to end, and is cut off. Rejects with what is neither
   * the destination's failure nor a log that is away.
   */
  async run(signal: AbortSignal, graceMs: () => number): Promise<void> {
    using _ = this.#reader;
    try {
      await Promise.race([this.#readAhead(signal), this.#failed.promise]);
    } finally {
      this.#isStopping = true;
      this.#alarm.cancel();
      const cancel = this.#deps.clock.after(graceMs(), () => this.#cut.abort(new Error("stopped")));
      await Promise.all(this.#sends);
      cancel();
      this.#sender[Symbol.dispose]();
    }
  }

  /** What waits may go at once. */
  hurry(): void {
    this.#circuit.hurry();
    this.#window.waitNoLonger();
    this.#pump();
  }

  async #readAhead(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.#room.resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      while (!signal.aborted) {
        if (!this.#hasRoom()) {
          this.#room = Promise.withResolvers();
          await this.#room.promise;
          continue;
        }
        const read = await this.#reader.next(signal);
        if (read !== undefined) this.#take(read);
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #hasRoom(): boolean {
    const { batch } = this.#options;
    const { events, bytes, waiting } = this.#window;
    // What takes nothing is not read for.
    if (this.#circuit.isProbing && waiting.events >= batch.maxEvents) return false;
    if (!this.#mayBegin && waiting.events >= Math.max(AHEAD, 2 * batch.maxEvents)) return false;
    return (
      events < Math.max(WINDOW.events, 2 * batch.maxEvents) &&
      bytes < Math.max(WINDOW.bytes, 2 * batch.maxBytes)
    );
  }

  #take(read: Read): void {
    if ("gap" in read) this.#addGap(read);
    else this.#addEvents(read);
    this.#window.reached(read.place);
    // Where nothing passes, which is most often, nothing more may go than before.
    if ("gap" in read || read.entries.length > 0) this.#pump();
  }

  #addEvents({ entries, from }: Extract<Read, { entries: unknown }>): void {
    if (entries.length === 0) return;
    const { epoch } = from.cursor;
    const { clock, meter } = this.#deps;
    const [now, pickedAtMs] = [clock.now(), clock.elapsed()];
    let recordedBefore = from.recordedAt;
    for (const entry of entries) {
      const event = outgoingOf(entry, epoch, this.#options.payload);
      const recorded = recordedTimeOf(entry.json);
      const recordedMs = recorded === null ? null : Date.parse(recorded);
      if (recordedMs !== null) meter.picked(now - recordedMs);
      this.#window.add({
        event,
        bytes: Buffer.byteLength(event.json),
        before: { cursor: { epoch, sequence: entry.sequence - 1 }, recordedAt: recordedBefore },
        recordedMs,
        pickedAtMs,
      });
      recordedBefore = recorded ?? recordedBefore;
    }
  }

  #addGap({ gap, from, place }: Extract<Read, { gap: unknown }>): void {
    const { clock, source, meter, logger } = this.#deps;
    const { name } = this.#options;
    const time = new Date(clock.now()).toISOString();
    const event = gapNotice(gap, place.cursor, { source, name, time });
    logger.warn(
      { destination: name, reason: gap.reason, notice: event.id },
      "events are gone from the log that the destination never had; it is told so",
    );
    meter.gap(gap.reason);
    const bytes = Buffer.byteLength(event.json);
    this.#window.add({ event, bytes, before: from, recordedMs: null, pickedAtMs: clock.elapsed() });
  }

  /** Sends whatever may go now, and looks again when more may. */
  #pump(): void {
    while (!this.#isStopping) {
      const waitMs = this.#waitMs();
      if (waitMs === undefined) return;
      if (waitMs > 0) return this.#alarm.set(waitMs, () => this.#pump());
      const batch = this.#window.take(this.#limits, this.#deps.clock.elapsed());
      if (batch.length === 0) return;
      this.#begin(batch);
    }
  }

  #begin(batch: Taken): void {
    const onSent = (): void => this.#sent(sending, batch);
    const sending: Promise<void> = this.#sender.send(batch).then(onSent, (error: unknown) => {
      this.#failed.reject(error);
      onSent();
    });
    this.#sends.add(sending);
  }

  /** Whether fewer batches are out than may be. */
  get #mayBegin(): boolean {
    const { ordering, inFlight } = this.#options;
    return this.#sends.size < (ordering === "strict" || this.#circuit.isProbing ? 1 : inFlight);
  }

  /** How long until something may go; undefined where that is not a matter of time. */
  #waitMs(): number | undefined {
    if (!this.#mayBegin) return undefined;
    const nextAtMs = this.#window.nextAtMs();
    if (nextAtMs === undefined) return undefined;
    const now = this.#deps.clock.elapsed();
    return Math.max(this.#circuit.holdMs, nextAtMs - now, this.#fillMs(now), 0);
  }

  /** How long a batch that is not full may still wait for more. */
  #fillMs(now: number): number {
    const { maxEvents, maxBytes } = this.#limits;
    const { maxAgeMs } = this.#options.batch;
    const { events, bytes } = this.#window.waiting;
    if (maxAgeMs === 0 || events >= maxEvents || bytes >= maxBytes) return 0;
    return (this.#window.waitingSinceMs() ?? now) + maxAgeMs - now;
  }

  #sent(sending: Promise<void>, batch: Taken): void {
    this.#sends.delete(sending);
    this.#window.release(batch);
    this.#pump();
    if (this.#hasRoom()) this.#room.resolve();
  }
}

/** What one batch may hold: as configured, and as the destination can take. */
function limitsOf({ limits = {} }: Destination, { batch }: DeliveryOptions): Limits {
  const { maxEvents = batch.maxEvents, maxBytes = batch.maxBytes } = limits;
  return {
    maxEvents: Math.min(maxEvents, batch.maxEvents),
    maxBytes: Math.min(maxBytes, batch.maxBytes),
  };
}

import type { ExtraFrame, RecordedFrame } from "../../feed/frames/frame-log.ts";
import type { FrameStart } from "../../feed/frames/frame-starts.ts";
import type { FeedLog } from "../../feed/log.ts";
import { formatCursor, parseCursor } from "../../schemas/cursor.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import { objectOf, parseExact, stringField, type JsonObject } from "../../schemas/json.ts";
import { Backoff } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Gap } from "../connection/start.ts";
import type { Place } from "../delivery/position.ts";
import { Reader } from "../delivery/reader.ts";
import type { Fanout } from "../fanout/fanout.ts";
import { extraEventOf, frameText, UNTOLD_TYPES, type ExtraEvent } from "./extra-events.ts";
import { nodesToldGone } from "./nodes-told-gone.ts";

/** Where frames are kept. See FrameLog. */
interface ExtraFrameSink {
  readonly newest: number;
  readonly followed: string | undefined;
  appendExtra(frames: readonly ExtraFrame[], place: string): void;
  startAt(index: number): FrameStart;
  read(after: number, limits: { maxFrames: number; maxBytes: number }): readonly RecordedFrame[];
}

export interface ExtraFramesDeps extends Fanout {
  readonly log: Pick<FeedLog, "read" | "head" | "cursorAt" | "overflow">;
  readonly frames: ExtraFrameSink;
  /** Whether Nomad's own frames are being recorded. */
  readonly isRecording: () => boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/**
 * How long a frame of Nomad's may take into the record after the feed saw what comes after it: Nomad tells of a write
 * before it can be read.
 */
const SETTLES_MS = 500;
/** What comes within that time is recorded together; or so much. */
const GATHERS_MS = 250;
const MOST_GATHERED = 2_000;
/** How often the place is kept where nothing came of what was read. */
const KEEP_PLACE_MS = 10_000;
const MAX_BACKOFF_MS = 30_000;

interface Seen {
  readonly event: ExtraEvent;
  /** Raft index at which the feed saw it, and the one at which it had looked before. */
  readonly index: number;
  readonly afterIndex: number;
}

/**
 * Follows the feed, and puts what Nomad's event stream never tells into the record of it: each once, at the place where
 * it became known, over restarts too.
 */
export class ExtraFrames {
  readonly #deps: ExtraFramesDeps;
  #keptAtMs = -Infinity;
  /** What was read and is not recorded. */
  #seen: Seen[] = [];

  constructor(deps: ExtraFramesDeps) {
    this.#deps = deps;
  }

  /** Follows until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, logger } = this.#deps;
    const backoff = new Backoff({ baseMs: 250, maxMs: MAX_BACKOFF_MS, random });
    while (!signal.aborted) {
      try {
        await this.#follow(signal, () => backoff.reset());
      } catch (error) {
        if (signal.aborted) return;
        const retryInMs = backoff.next();
        logger.warn({ err: error, retryInMs }, "what Nomad's event stream leaves out is not being recorded");
        await clock.sleep(retryInMs, signal);
      }
    }
  }

  async #follow(signal: AbortSignal, onProgress: () => void): Promise<void> {
    const { frames } = this.#deps;
    using reader = new Reader(await this.#place(), { types: UNTOLD_TYPES }, this.#deps, (place) =>
      this.#keep(place),
    );
    while (!signal.aborted) {
      await this.#gather(reader, signal);
      await this.#settled(signal);
      if (signal.aborted) return;
      frames.appendExtra(framesOf(await this.#withoutTold(this.#seen)), placeText(reader.place));
      onProgress();
    }
  }

  /** Reads on until something is there that Nomad does not tell of, and what comes soon after. */
  async #gather(reader: Reader, signal: AbortSignal): Promise<void> {
    this.#seen = [];
    const enough = new AbortController();
    const either = AbortSignal.any([signal, enough.signal]);
    let stopWaiting: (() => void) | undefined;
    while (this.#seen.length < MOST_GATHERED) {
      const read = await reader.next(either);
      if (read === undefined) break;
      if ("gap" in read) this.#warnOf(read.gap);
      else this.#seen.push(...(await this.#untold(read.entries)));
      this.#keep(read.place);
      if (this.#seen.length > 0) stopWaiting ??= this.#deps.clock.after(GATHERS_MS, () => enough.abort());
    }
    stopWaiting?.();
  }

  #warnOf({ reason }: Gap): void {
    this.#deps.logger.warn(
      { reason },
      "the feed no longer has all changes: some that Nomad's event stream leaves out are missing from the record",
    );
  }

  /** Where the record left off; of a new one, where the feed is now. */
  async #place(): Promise<Place> {
    const { frames, log } = this.#deps;
    const kept = frames.followed === undefined ? undefined : placeOf(frames.followed);
    if (kept !== undefined) return kept;
    const { epoch, sequence } = await log.head();
    const place = { cursor: { epoch, sequence }, recordedAt: null };
    frames.appendExtra([], placeText(place));
    return place;
  }

  /** Where nothing waits to be recorded: what comes with that has its place. */
  #keep(place: Place): void {
    if (this.#seen.length > 0) return;
    const nowMs = this.#deps.clock.elapsed();
    if (nowMs - this.#keptAtMs < KEEP_PLACE_MS) return;
    this.#keptAtMs = nowMs;
    this.#deps.frames.appendExtra([], placeText(place));
  }

  async #untold(entries: readonly LogEntry[]): Promise<Seen[]> {
    const seen: Seen[] = [];
    for (const entry of entries) {
      const data = await this.#dataOf(entry);
      const event = extraEventOf(entry, objectOf(data["before"] ?? data["after"]));
      const observed = objectOf(data["observed"]);
      const indexOf = (name: string) => Number(stringField(observed, name) ?? 0);
      if (event !== undefined)
        seen.push({ event, index: indexOf("toIndex"), afterIndex: indexOf("fromIndex") });
    }
    return seen;
  }

  /** The whole of it, also of an event that was too large to hold it. */
  async #dataOf({ json, sequence }: LogEntry): Promise<JsonObject> {
    const { data, dataref } = objectOf(parseExact(json));
    const whole = dataref === undefined ? undefined : await this.#deps.log.overflow(sequence);
    return objectOf(whole === undefined ? data : parseExact(whole));
  }

  /** Until what Nomad told before is recorded too, and there is a frame of Nomad's to stand behind. */
  async #settled(signal: AbortSignal): Promise<void> {
    const { clock, frames, isRecording } = this.#deps;
    do await clock.sleep(SETTLES_MS, signal);
    while (!signal.aborted && !(isRecording() && frames.newest > 0));
  }

  /** Nomad tells of a node that somebody purges, and not of one that it collects. */
  async #withoutTold(seen: readonly Seen[]): Promise<Seen[]> {
    const nodes = seen.filter(({ event }) => event.topic === "Node");
    if (nodes.length === 0) return [...seen];
    const since = Math.min(...nodes.map(({ afterIndex }) => afterIndex));
    const told = await nodesToldGone(this.#deps, since);
    return seen.filter(({ event }) => event.topic !== "Node" || !told.has(event.key));
  }
}

/** What was seen at one index, one behind the other, is one frame. */
function framesOf(seen: readonly Seen[]): ExtraFrame[] {
  const runs: { readonly index: number; readonly events: ExtraEvent[] }[] = [];
  for (const { index, event } of seen) {
    const last = runs.at(-1);
    if (last?.index === index) last.events.push(event);
    else runs.push({ index, events: [event] });
  }
  return runs.map(({ index, events }) => ({
    index,
    lineAt: (at) => Buffer.from(frameText(events, at)),
  }));
}

function placeText({ cursor, recordedAt }: Place): string {
  return [formatCursor(cursor), ...(recordedAt === null ? [] : [recordedAt])].join(" ");
}

function placeOf(text: string): Place | undefined {
  const [cursorText = "", recordedAt = null] = text.split(" ");
  const cursor = parseCursor(cursorText);
  return cursor && { cursor, recordedAt };
}

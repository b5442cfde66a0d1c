import type { AuditSettings } from "../../schemas/destinations/audit.ts";
import { abortable } from "../../shared/abortable.ts";
import type { Clock } from "../../shared/clock.ts";
import { Turns } from "../../shared/turns.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Destination, Exchange, Outgoing, SendResult } from "../delivery/destination.ts";
import type { DestinationDeps } from "../destination-deps.ts";
import { diskResult } from "../disk-result.ts";
import { Addition, type TrailNames } from "./addition.ts";
import { CheckpointPost } from "./checkpoint-post.ts";
import { TrailDamaged, TrailOfAnother, TrailUnusable } from "./errors.ts";
import { storeOf, type StorePlace } from "./store-place.ts";
import { TrailKeys } from "./trail-keys.ts";
import { TrailWriter } from "./trail-writer.ts";
import type { Trail } from "./trail.ts";

/** Opens nothing yet: the first `send` does. @throws NoteKeyError */
export async function openAudit(settings: AuditSettings, deps: DestinationDeps): Promise<Destination> {
  return new AuditDestination(settings, deps);
}

/** Enters events into an audit trail. A batch is entered once it is stored for good, under a signed checkpoint. */
class AuditDestination implements Destination {
  readonly target: string;
  readonly #keys: TrailKeys;
  readonly #names: TrailNames;
  readonly #turns = new Turns();
  /** Ends what the store that is open has under way over the network. */
  #interruption = new AbortController();
  readonly #place: StorePlace;
  readonly #settings: AuditSettings;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #post: CheckpointPost | undefined;
  #writer: TrailWriter | undefined;
  /** Entries under the last checkpoint that was signed here. */
  #signedSize = 0;

  constructor(settings: AuditSettings, deps: DestinationDeps) {
    const { name, source, readSecret, logger, clock } = deps;
    const { checkpointTo } = settings;
    this.#place = storeOf(settings, deps);
    this.target = this.#place.name;
    this.#settings = settings;
    this.#logger = logger;
    this.#clock = clock;
    this.#keys = new TrailKeys(settings.key.map(readSecret));
    this.#post = checkpointTo && new CheckpointPost(checkpointTo, deps);
    this.#names = { feed: source, origin: this.#keys.origin, name };
  }

  async send(batch: readonly Outgoing[], signal: AbortSignal): Promise<SendResult> {
    signal.throwIfAborted();
    try {
      return await abortable(
        this.#turns.take(() => this.#enter(batch, signal)),
        signal,
      );
    } catch (error) {
      signal.throwIfAborted();
      return resultOf(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#interrupt();
    await this.#turns.take(() => this.#letGo());
    await this.#post?.[Symbol.asyncDispose]();
  }

  /** What failed may have written in part: what is stored then is read anew. */
  async #enter(batch: readonly Outgoing[], signal: AbortSignal): Promise<SendResult> {
    signal.throwIfAborted();
    const interrupt = () => this.#interrupt();
    signal.addEventListener("abort", interrupt);
    try {
      const writer = (this.#writer ??= await this.#open());
      const addition = new Addition(writer.trail.end, this.#names);
      for (const event of batch) addition.add(event);
      if (addition.entries.length > 0) await this.#add(addition, writer, signal);
      this.#signedSize = writer.trail.size;
      return { outcome: "ok", exchange: exchangeOf(batch, addition, this.#signedSize) };
    } catch (error) {
      await this.#letGo();
      throw error;
    } finally {
      signal.removeEventListener("abort", interrupt);
    }
  }

  #interrupt(): void {
    this.#interruption.abort(new Error("stopped"));
    this.#interruption = new AbortController();
  }

  async #add(addition: Addition, writer: TrailWriter, signal: AbortSignal): Promise<void> {
    await writer.add(addition, signal);
    const { checkpoint } = writer.trail;
    if (checkpoint !== undefined) this.#post?.offer(checkpoint);
  }

  async #open(): Promise<TrailWriter> {
    const { directory, daily } = this.#settings;
    const writer = await TrailWriter.open({
      store: await this.#place.open(this.#interruption.signal),
      keys: this.#keys,
      dailyIn: daily ? directory : undefined,
      logger: this.#logger,
      clock: this.#clock,
    });
    try {
      this.#assertOurs(writer.trail);
      return writer;
    } catch (error) {
      await writer[Symbol.asyncDispose]();
      throw error;
    }
  }

  #assertOurs(trail: Trail): void {
    const { feed } = this.#names;
    if (trail.feed !== undefined && trail.feed !== feed)
      throw new TrailOfAnother(
        `The audit trail in ${this.target} is of the feed ${trail.feed}, not of ${feed}`,
        { hint: "Give each feed a directory or a prefix, and a key, of its own" },
      );
    if (trail.size >= this.#signedSize) return;
    const less = `it has ${trail.size} entries, and this process has signed ${this.#signedSize}`;
    throw new TrailDamaged(this.target, less);
  }

  async #letGo(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.[Symbol.asyncDispose]();
  }
}

function exchangeOf(batch: readonly Outgoing[], { entries }: Addition, size: number): Exchange {
  return {
    request: `${batch.length} events`,
    answer: `${entries.length} entries added; the trail has ${size}`,
  };
}

function resultOf(error: unknown): SendResult {
  if (!(error instanceof TrailUnusable)) return diskResult(error);
  const reason = `${error.code}: ${error.message.replace(/\.$/, "")}. ${error.hint ?? ""}`;
  return { outcome: "refused", why: "config", reason };
}

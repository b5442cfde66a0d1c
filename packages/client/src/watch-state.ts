import { deferred } from "./deferred.ts";
import { Feed, type AnyItem } from "./feed.ts";
import type { Connected, Disconnected } from "./items.ts";
import type { SubscribeOptions } from "./options.ts";
import { Retry, sleep } from "./retry.ts";
import type { OpenSocket } from "./socket.ts";
import { isObjectItem, StateFold, type NomadObject, type StateChange } from "./state-fold.ts";
import { WholeItems, type IncompleteObject } from "./whole-items.ts";
import type { ResourceType } from "./wire.ts";

type Choice = "url" | "namespaces" | "subjects" | "filter" | "token" | "signal" | "silenceMs" | "retry";

/**
 * Which objects to hold. What is about changes and not about objects cannot be chosen by; a `filter` must hold of an
 * object for as long as it is there, or never, such as one of its `resource`.
 */
export interface WatchStateOptions<Type extends ResourceType = ResourceType> extends Pick<
  SubscribeOptions,
  Choice
> {
  readonly types?: readonly Type[];
  /** Told of each change after the map has it; in the first snapshot, of each object. */
  onChange?(this: void, change: StateChange<Type>): void;
  /** Told of each object that changed and whose new version cannot be had: the map keeps the one before, if any. */
  onIncomplete?(this: void, object: IncompleteObject): void;
  /** Told of each connection that came to be, was lost, or was tried in vain. */
  onConnection?(this: void, notice: Connected | Disconnected): void;
}

export interface WatchedState<Type extends ResourceType = ResourceType> {
  /** By subject, `<resource>/<namespace>/<key>`. Changes by itself; empty before the first snapshot has come. */
  readonly objects: ReadonlyMap<string, NomadObject<Type>>;
  /** Subjects whose newest version cannot be had, with the reason: the map has an older one, or none. */
  readonly incomplete: ReadonlyMap<string, string>;
  /** Where the objects are true, but for those. */
  readonly cursor: string | undefined;
  /** False while the objects are as they were when the connection was lost. */
  readonly isConnected: boolean;
  /** Resolves once the first snapshot has come; rejects where none will. */
  readonly ready: Promise<void>;
  /** Resolves when `signal` aborted; rejects with StreamRefused, or with what `onChange` threw. */
  readonly ended: Promise<void>;
}

/** `watchState` over this kind of socket. */
export function watchStateOver(open: OpenSocket) {
  return function watchState<Type extends ResourceType = ResourceType>(
    options: WatchStateOptions<Type>,
  ): WatchedState<Type> {
    // The server sends the resources that were asked for and no others.
    return new StateWatch(open, options) as WatchedState as WatchedState<Type>;
  };
}

const NEVER = new AbortController().signal;

class StateWatch implements WatchedState {
  readonly #open: OpenSocket;
  readonly #options: WatchStateOptions;
  readonly #fold = new StateFold();
  readonly #wholeItems: WholeItems;
  readonly #incomplete = new Map<string, string>();
  /** Between one snapshot and the next, where the first did not help. */
  readonly #retry: Retry;
  readonly #ready = deferred();
  readonly ended: Promise<void>;
  #feed: Feed;
  isConnected = false;

  constructor(open: OpenSocket, options: WatchStateOptions) {
    this.#open = open;
    this.#options = options;
    this.#wholeItems = new WholeItems(options);
    this.#retry = new Retry(options.retry ?? {});
    this.#feed = this.#newFeed(false);
    // `ended` says the same to whoever does not wait for it.
    this.#ready.promise.catch(() => undefined);
    this.ended = this.#run();
  }

  get objects(): ReadonlyMap<string, NomadObject> {
    return this.#fold.objects;
  }

  get incomplete(): ReadonlyMap<string, string> {
    return this.#incomplete;
  }

  get cursor(): string | undefined {
    return this.#feed.cursor;
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  #newFeed(wasConnected: boolean): Feed {
    const notices = ["client.connected", "client.disconnected"] as const;
    const options = { ...this.#options, snapshot: true, onexpired: "snapshot", notices } as const;
    return new Feed(this.#open, options, { wasConnected });
  }

  async #run(): Promise<void> {
    try {
      while (await this.#follow()) {
        this.isConnected = false;
        await sleep(this.#retry.next("soon", 0), this.#options.signal ?? NEVER);
        this.#feed = this.#newFeed(this.#feed.wasConnected);
      }
      this.#ready.reject(this.#options.signal?.reason);
    } catch (error) {
      this.#ready.reject(error);
      throw error;
    } finally {
      this.isConnected = false;
    }
  }

  /** True where only another snapshot helps. */
  async #follow(): Promise<boolean> {
    for await (const item of this.#feed.items()) {
      if (item.type === "client.connected" || item.type === "client.disconnected") {
        this.isConnected = item.type === "client.connected";
        this.#options.onConnection?.(item);
        continue;
      }
      const whole = await this.#wholeItems.get(item);
      if (whole.kind === "gone") return true;
      if (whole.kind === "incomplete") this.#note(whole);
      else this.#take(whole.item);
    }
    return false;
  }

  #take(item: AnyItem): void {
    if (isObjectItem(item)) this.#incomplete.delete(item.subject);
    if ("dataref" in item && item.dataref !== undefined) this.#retry.reset();
    for (const change of this.#fold.take(item)) this.#options.onChange?.(change);
    if (item.type !== "nomad.feed.snapshot" || item.data.phase !== "end") return;
    this.#incomplete.clear();
    this.#ready.resolve();
  }

  #note({ subject, reason }: IncompleteObject): void {
    this.#incomplete.set(subject, reason);
    this.#options.onIncomplete?.({ subject, reason });
  }
}

import type { ChangeData } from "../schemas/event-schema.ts";
import type { ResourceType } from "../schemas/resources.ts";
import { Feed, type AnyItem } from "./feed.ts";
import { ask } from "./http.ts";
import type { SubscribeOptions } from "./options.ts";
import type { OpenSocket } from "./socket.ts";
import { isObjectItem, StateFold, type NomadObject, type StateChange } from "./state-fold.ts";

type Choice = "url" | "namespaces" | "subjects" | "token" | "signal" | "silenceMs" | "retry";

/** Which objects to hold. What is about changes and not about objects cannot be chosen by. */
export interface WatchStateOptions<Type extends ResourceType = ResourceType> extends Pick<
  SubscribeOptions,
  Choice
> {
  readonly types?: readonly Type[];
  /** Told of each change after the map has it; in the first snapshot, of each object. */
  onChange?(this: void, change: StateChange<Type>): void;
}

export interface WatchedState<Type extends ResourceType = ResourceType> {
  /** By subject, `<resource>/<namespace>/<key>`. Changes by itself; empty before the first snapshot has come. */
  readonly objects: ReadonlyMap<string, NomadObject<Type>>;
  /** Where the objects are true. */
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

class StateWatch implements WatchedState {
  readonly #open: OpenSocket;
  readonly #options: WatchStateOptions;
  readonly #fold = new StateFold();
  readonly #ready = Promise.withResolvers<void>();
  readonly ended: Promise<void>;
  #feed: Feed;
  isConnected = false;

  constructor(open: OpenSocket, options: WatchStateOptions) {
    this.#open = open;
    this.#options = options;
    this.#feed = this.#newFeed();
    // `ended` says the same to whoever does not wait for it.
    this.#ready.promise.catch(() => undefined);
    this.ended = this.#run();
  }

  get objects(): ReadonlyMap<string, NomadObject> {
    return this.#fold.objects;
  }

  get cursor(): string | undefined {
    return this.#feed.cursor;
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  #newFeed(): Feed {
    const notices = ["client.connected", "client.disconnected"] as const;
    return new Feed(this.#open, { ...this.#options, snapshot: true, onexpired: "snapshot", notices });
  }

  async #run(): Promise<void> {
    try {
      while (await this.#follow()) this.#feed = this.#newFeed();
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
      if (item.type === "client.connected") this.isConnected = true;
      if (item.type === "client.disconnected") this.isConnected = false;
      const whole = await this.#whole(item);
      if (whole === undefined) return true;
      for (const change of this.#fold.take(whole)) this.#options.onChange?.(change);
      if (item.type === "nomad.feed.snapshot" && item.data.phase === "end") this.#ready.resolve();
    }
    return false;
  }

  /** The item with all its data; undefined where the server no longer has it. */
  async #whole(item: AnyItem): Promise<AnyItem | undefined> {
    if (!isObjectItem(item) || !("dataref" in item) || item.dataref === undefined) return item;
    const { status, body } = await ask(this.#options, item.dataref);
    if (status !== 200) return undefined;
    return { ...item, data: body as ChangeData } as AnyItem;
  }
}

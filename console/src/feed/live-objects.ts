import { signal, type ReadonlySignal } from "@preact/signals";
import type {
  ChangeEventOf,
  NomadStub,
  ResourceType,
  SnapshotObject,
  StateQuery,
} from "nomad-changefeed-client";
import { given } from "../words/given.ts";
import { isChange, isFeedItem } from "./event-facts.ts";
import type { FollowedItem, Following, FollowOptions } from "./followed.ts";
import { mayPass } from "./may-pass.ts";

/** Which objects: as `GET /v1/state` takes it. */
export interface ObjectsQuery<Type extends ResourceType = ResourceType> {
  readonly type: Type;
  readonly namespaces?: readonly string[] | undefined;
  /** `resource/namespace/key` of single ones. */
  readonly subjects?: readonly string[] | undefined;
  /** In the filter language. */
  readonly filter?: string | undefined;
  /** As of when: a cursor or a time. Absent: now, and from then on. */
  readonly at?: string | undefined;
}

/** An object as a table takes from it what it shows. */
export interface ReadObject<Type extends ResourceType = ResourceType> {
  readonly subject: string;
  readonly namespace: string;
  readonly id: string;
  readonly stub: NomadStub<Type>;
}

/** Where objects and their events come from. */
export interface ObjectsSource {
  /** `at`: as of when. */
  readonly read: (
    query: StateQuery & { readonly at?: string },
    gone: AbortSignal,
  ) => Promise<{ readonly cursor: string } & AsyncIterable<SnapshotObject>>;
  readonly follow: (options: FollowOptions, following: Following) => () => void;
}

/** What one version has that the one before had not. */
export interface RowChanges<Row> {
  readonly gone: ReadonlySet<Row>;
  readonly come: readonly Row[];
}

export interface ObjectsStatus<Row> {
  /** Grows by one with what `changes` says; by more where everything may be another. */
  readonly version: number;
  readonly changes: RowChanges<Row>;
  /** All of them have been read. */
  readonly isWhole: boolean;
  readonly error: unknown;
}

/** What a table needs to know of its objects. */
export interface LiveRows<Row> {
  readonly status: ReadonlySignal<ObjectsStatus<Row>>;
  /** By subject. */
  readonly rows: ReadonlyMap<string, Row>;
  /** Ms since 1970; undefined where the row is as it was when all were read. */
  changedAtMs(row: Row): number | undefined;
  restart(): void;
}

const PUBLISH_EVERY_MS = 200;
const WORK_AT_ONCE_MS = 24;
const AGAIN_AFTER_MS = 5000;
const SEQUENCES_KEPT = 20_000;

/**
 * Objects of one kind, read once and then kept up to date by their events. Of each only a row is kept: what `rowOf`
 * takes from it.
 */
export class LiveObjects<
  Row extends object,
  Type extends ResourceType = ResourceType,
> implements LiveRows<Row> {
  readonly #query: ObjectsQuery<Type>;
  readonly #source: ObjectsSource;
  readonly #rowOf: (object: ReadObject<Type>) => Row;
  readonly #status = signal<ObjectsStatus<Row>>({
    version: 0,
    changes: { gone: new Set(), come: [] },
    isWhole: false,
    error: undefined,
  });
  /** By subject. */
  #rows = new Map<string, Row>();
  /** Rows that were there when it was last published, and are others now; undefined: there was none. */
  #before = new Map<string, Row | undefined>();
  #changedAtMs = new WeakMap<Row, number>();
  /** Of the last event about an object: two streams tell of them, in an order of their own. */
  #sequences = new Map<string, string>();
  #publishTimer: ReturnType<typeof setTimeout> | undefined;
  #round = new AbortController();

  constructor(query: ObjectsQuery<Type>, rowOf: (object: ReadObject<Type>) => Row, source: ObjectsSource) {
    this.#query = query;
    this.#source = source;
    this.#rowOf = rowOf;
  }

  get status(): ReadonlySignal<ObjectsStatus<Row>> {
    return this.#status;
  }

  get rows(): ReadonlyMap<string, Row> {
    return this.#rows;
  }

  changedAtMs(row: Row): number | undefined {
    return this.#changedAtMs.get(row);
  }

  /** Reads and follows; answers what ends it. */
  start(): () => void {
    this.restart();
    return () => {
      this.#round.abort();
      clearTimeout(this.#publishTimer);
    };
  }

  /** Reads all anew. What is shown stays until that is done. */
  restart(): void {
    this.#round.abort();
    this.#round = new AbortController();
    void this.#run(this.#round.signal);
  }

  async #run(gone: AbortSignal): Promise<void> {
    try {
      const cursor = await this.#read(gone);
      if (this.#query.at === undefined) this.#follow(cursor, gone);
    } catch (error) {
      if (gone.aborted) return;
      this.#set({ error });
      if (mayPass(error)) setTimeout(() => !gone.aborted && this.restart(), AGAIN_AFTER_MS);
    }
  }

  async #read(gone: AbortSignal): Promise<string> {
    const { type, namespaces, subjects, filter, at } = this.#query;
    const query = { types: [type], ...given({ namespaces, subjects, filter, at }) };
    const state = await this.#source.read(query, gone);
    // At first rows show as they come; later all at once, so that nothing that is there goes and comes back.
    const isFirst = this.#status.value.version === 0;
    const rows = isFirst ? this.#rows : new Map<string, Row>();
    let sinceMs = performance.now();
    for await (const { subject, data } of state) {
      const { namespace, id } = data.resource;
      const row = this.#rowOf({ subject, namespace, id, stub: data.after as NomadStub<Type> });
      rows.set(subject, row);
      if (isFirst) this.#noteChange(subject, undefined);
      if (performance.now() - sinceMs < WORK_AT_ONCE_MS) continue;
      await new Promise((resolve) => setTimeout(resolve));
      gone.throwIfAborted();
      sinceMs = performance.now();
    }
    gone.throwIfAborted();
    if (!isFirst) this.#replace(rows);
    this.#sequences.clear();
    this.#publish({ isWhole: true, error: undefined });
    return state.cursor;
  }

  #replace(rows: Map<string, Row>): void {
    this.#rows = rows;
    this.#before.clear();
    const { version } = this.#status.value;
    this.#set({ version: version + 1 });
  }

  #follow(cursor: string, gone: AbortSignal): void {
    const { type, namespaces, subjects, filter } = this.#query;
    const common = {
      types: [type],
      ...given({ namespaces, subjects }),
      cursor,
      onexpired: "earliest",
    } as const;
    const following = (take: (event: ChangeEventOf) => void) => ({
      onItem: (item: FollowedItem) => {
        if (item.type === "nomad.feed.gap") this.restart();
        // A version of a job that no poll saw says nothing of how the job is.
        else if (isFeedItem(item) && isChange(item) && item.data.op !== "version") take(item);
      },
      onEnd: (error: Error) => this.#set({ error }),
    });
    const ends = [
      this.#source.follow(
        { ...common, ...given({ filter }) },
        following((event) => this.#take(event, gone)),
      ),
    ];
    if (filter !== undefined) {
      // An object that does not match any longer: its event does not pass the filter, and is told here.
      const others = { ...common, filter: `not (${filter})`, payload: "thin" } as const;
      ends.push(
        this.#source.follow(
          others,
          following((event) => this.#drop(event, gone)),
        ),
      );
    }
    gone.addEventListener("abort", () => ends.forEach((end) => end()));
  }

  #take(event: ChangeEventOf, gone: AbortSignal): void {
    if (!this.#isNews(event)) return;
    const { subject, data } = event;
    if (data.op === "delete") return this.#put(subject, undefined);
    if (data.after === undefined) return void this.#readOne(event, gone);
    const { namespace, id } = data.resource;
    this.#put(subject, this.#rowOf({ subject, namespace, id, stub: data.after as NomadStub<Type> }));
  }

  #drop(event: ChangeEventOf, gone: AbortSignal): void {
    if (!this.#isNews(event)) return;
    // Of an event without its object neither the filter nor its opposite can be decided: it passes both.
    if (event.dataref !== undefined && event.data.op !== "delete") void this.#readOne(event, gone);
    else this.#put(event.subject, undefined);
  }

  #isNews({ subject, sequence }: ChangeEventOf): boolean {
    if (this.#query.filter === undefined) return true;
    if (sequence <= (this.#sequences.get(subject) ?? "")) return false;
    this.#sequences.delete(subject);
    this.#sequences.set(subject, sequence);
    const [oldest] = this.#sequences.keys();
    // The two streams are moments apart: what is long ago need not be told apart any more.
    if (this.#sequences.size > SEQUENCES_KEPT && oldest !== undefined) this.#sequences.delete(oldest);
    return true;
  }

  /** An object too large for its event. */
  async #readOne({ subject }: ChangeEventOf, gone: AbortSignal): Promise<void> {
    const { type, filter } = this.#query;
    const known = this.#rows.get(subject);
    const query = { types: [type], subjects: [subject], ...given({ filter }) };
    try {
      let row: Row | undefined;
      for await (const { data } of await this.#source.read(query, gone)) {
        const { namespace, id } = data.resource;
        row = this.#rowOf({ subject, namespace, id, stub: data.after as NomadStub<Type> });
      }
      // What came meanwhile is newer.
      if (!gone.aborted && this.#rows.get(subject) === known) this.#put(subject, row);
    } catch (error) {
      if (!gone.aborted) this.#set({ error });
    }
  }

  #put(subject: string, row: Row | undefined): void {
    const before = this.#rows.get(subject);
    if (row === undefined) {
      if (!this.#rows.delete(subject)) return;
    } else {
      this.#rows.set(subject, row);
      this.#changedAtMs.set(row, Date.now());
    }
    this.#noteChange(subject, before);
  }

  #noteChange(subject: string, before: Row | undefined): void {
    if (!this.#before.has(subject)) this.#before.set(subject, before);
    this.#publishTimer ??= setTimeout(() => this.#publish({}), PUBLISH_EVERY_MS);
  }

  #publish(more: Partial<ObjectsStatus<Row>>): void {
    clearTimeout(this.#publishTimer);
    this.#publishTimer = undefined;
    const before = this.#before;
    this.#before = new Map();
    const gone = new Set([...before.values()].filter((row) => row !== undefined));
    const come = [...before.keys()].flatMap((subject) => this.#rows.get(subject) ?? []);
    this.#set({ ...more, version: this.#status.value.version + 1, changes: { gone, come } });
  }

  #set(more: Partial<ObjectsStatus<Row>>): void {
    this.#status.value = { ...this.#status.value, ...more };
  }
}

import type { Cursor } from "../../schemas/cursor.ts";
import type { Scope } from "../../schemas/scope.ts";
import { compareBytes } from "../../shared/compare-bytes.ts";
import { LogUnavailable } from "../errors.ts";
import type { ConsistentRead, StateEntry, StateFilter } from "../log.ts";
import { scopeNamed, stateEntry } from "./codec.ts";
import { Reply } from "./reply.ts";
import { CLOSE_READ, READ_KEYS, OPEN_READ, READ_ENTRIES } from "./consistent-read-scripts.ts";
import { feedIsGone } from "./errors.ts";
import type { Connection } from "./connection.ts";
import type { KeyLists } from "./key-lists.ts";
import { Keys } from "./keys.ts";

/** What one reading brings. */
interface BatchLimits {
  readonly objects: number;
  /** Of values; one object is read however large it is. */
  readonly bytes: number;
}

/** What a scope's owner reads at once. */
export const LOAD_LIMITS: BatchLimits = { objects: 500, bytes: 512 * 1024 };
/** A consistent read goes as fast as its subscriber takes it, who may be slow, and there may be many. */
const BATCH_LIMITS: BatchLimits = { objects: 100, bytes: 16 * 1024 };
/** A read that nobody takes from for so long ends: commits pay for each. */
const READ_IDLE_MS = 60_000;

export function filterOf(scope: Scope): StateFilter {
  return scope.namespace === "*" ? { resource: scope.resource } : scope;
}

/**
 * Objects and cursor as of one moment, however long they are read: while reads are open, commits keep once, for all of
 * them, what they replace. A read holds no keys: who stopped reading costs nothing more than the read itself.
 */
export class RedisConsistentRead implements ConsistentRead {
  readonly cursor: Cursor;
  readonly #connection: Connection;
  readonly #keyLists: KeyLists;
  readonly #layer: string;
  /** Names of the state hashes, in order. */
  readonly #names: readonly string[];
  #isOpen = true;

  private constructor(
    parts: { connection: Connection; keyLists: KeyLists },
    opened: { cursor: Cursor; layer: string; names: readonly string[] },
  ) {
    this.#connection = parts.connection;
    this.#keyLists = parts.keyLists;
    this.cursor = opened.cursor;
    this.#layer = opened.layer;
    this.#names = opened.names;
  }

  /** `whole`: refuse a state that has lost objects. Its owner must read what is left. */
  static async open(
    connection: Connection,
    keyLists: KeyLists,
    { whole }: { whole: boolean },
  ): Promise<RedisConsistentRead> {
    const answer = await connection.run(OPEN_READ, [READ_IDLE_MS, whole ? "whole" : ""]);
    const reply = new Reply(answer, connection.source("the answer to OPEN_READ"));
    if (reply.length === 0) throw feedIsGone(connection.where);
    const epoch = reply.text(0, "epoch");
    if (epoch === "short") throw stateIsShort(connection.where, reply.text(1, "state"));
    const cursor = { epoch, sequence: reply.integer(1, "sequence") };
    const opened = { cursor, layer: reply.text(2, "layer"), names: reply.texts(3).toSorted(compareBytes) };
    return new RedisConsistentRead({ connection, keyLists }, opened);
  }

  async *entries(filter: StateFilter = {}, limits = BATCH_LIMITS): AsyncGenerator<StateEntry[]> {
    for (const name of this.#names) {
      const part = scopeNamed(name);
      const isWanted =
        (filter.resource ?? part.resource) === part.resource &&
        (filter.namespace ?? part.namespace) === part.namespace &&
        (filter.includes?.(part) ?? true);
      if (!isWanted) continue;
      yield* this.#batches(name, filter.key, limits);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    // Where Redis is away, the read ends there by itself.
    await this.#connection.run(CLOSE_READ, [this.#layer]).catch(() => undefined);
  }

  async *#batches(name: string, key: string | undefined, limits: BatchLimits): AsyncGenerator<StateEntry[]> {
    for (let position = 0; ;) {
      const batch = await this.#batchAt(position, name, key, limits);
      if (batch === undefined) return;
      position = batch.end;
      // Held by nobody else: it may be long until the reader takes the next one.
      yield batch.entries.splice(0);
    }
  }

  /** Undefined behind the last key. The keys are asked for again: they may have been forgotten while a reader was slow. */
  async #batchAt(
    position: number,
    name: string,
    key: string | undefined,
    { objects, bytes }: BatchLimits,
  ): Promise<{ entries: StateEntry[]; end: number } | undefined> {
    const list = key === undefined ? await this.#keysOf(name) : Keys.only(key);
    const keys = list.from(position, objects);
    if (keys.length === 0) return undefined;
    const about = [this.#layer, READ_IDLE_MS, bytes, name, ...keys];
    const answer = await this.#connection.runForBytes(READ_ENTRIES, about);
    const values = new Reply(answer, this.#connection.source("the answer to READ_ENTRIES")).bytes();
    if (values.length === 0) throw this.#leftTooLong();
    const entries = values.flatMap((value, n) =>
      value === null ? [] : [stateEntry(name, keys[n] ?? "", value)],
    );
    return { entries, end: list.behind(position, keys.slice(0, values.length)) };
  }

  async #keysOf(name: string): Promise<Keys> {
    return this.#keyLists.get(`${this.#layer}/${name}`, async () => {
      // As bytes: the client makes texts of all of them in one go.
      const reply = await this.#connection.runForBytes(READ_KEYS, [this.#layer, READ_IDLE_MS, name]);
      if (reply === null) throw this.#leftTooLong();
      const keys = new Reply(reply, this.#connection.source("the answer to READ_KEYS")).bytes();
      return keys.filter((key) => key !== null);
    });
  }

  #leftTooLong(): LogUnavailable {
    return new LogUnavailable(
      `A reading of the state at ${this.#connection.where} was left for too long, or kept too much of what changed`,
      { hint: "Read the state again, faster" },
    );
  }
}

function stateIsShort(where: string, name: string): LogUnavailable {
  return new LogUnavailable(`Objects of ${name} are missing in the state at ${where}`, {
    hint: "Another program deleted the key, or Redis evicted it; the state is whole again when its scope has been read anew",
  });
}

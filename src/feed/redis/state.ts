import { randomUUID } from "node:crypto";
import type { Cursor } from "../../schemas/cursor.ts";
import type { Scope } from "../../schemas/scope.ts";
import { LogUnavailable } from "../errors.ts";
import type { StateCut, StateEntry, StateFilter } from "../log.ts";
import { stateEntry } from "./codec.ts";
import { feedIsGone } from "./errors.ts";
import type { Connection } from "./connection.ts";
import { CLOSE_CUT, OPEN_CUT, READ_CUT } from "./scripts.ts";

/** What a scope's owner reads at once. */
export const LOAD_OBJECTS = 500;
/** A cut is read as fast as a subscriber takes it, who may be slow, and there may be many. */
const CUT_BATCH_OBJECTS = 100;
/** A cut that nobody reads from for so long is dropped: commits pay for each. */
const CUT_IDLE_MS = 60_000;

/** A state hash and the keys it held at the cut. */
interface Part {
  readonly hash: string;
  readonly keys: readonly string[];
}

export function filterOf(scope: Scope): StateFilter {
  return scope.namespace === "*" ? { resource: scope.resource } : scope;
}

/**
 * Objects and cursor as of one moment, however long they are read: while a cut is open, commits keep for it what
 * they replace, so beginning one costs Redis no more than listing the keys.
 */
export class RedisStateCut implements StateCut {
  readonly cursor: Cursor;
  readonly #connection: Connection;
  readonly #id: string;
  readonly #parts: readonly Part[];

  private constructor(connection: Connection, id: string, cursor: Cursor, parts: readonly Part[]) {
    this.#connection = connection;
    this.#id = id;
    this.cursor = cursor;
    this.#parts = parts;
  }

  static async open(connection: Connection, filter: StateFilter): Promise<RedisStateCut> {
    const id = randomUUID();
    const { resource = "", namespace = "", key = "" } = filter;
    const reply = await connection.run(OPEN_CUT, [id, CUT_IDLE_MS, resource, namespace, key]);
    const [epoch, sequence, ...rest] = reply as [string?, string?, ...(string | string[])[]];
    if (epoch === undefined) throw feedIsGone(connection.where);
    const parts: Part[] = [];
    for (let n = 0; n + 1 < rest.length; n += 2) {
      parts.push({ hash: rest[n] as string, keys: inOrder(rest[n + 1] as string[]) });
    }
    parts.sort((a, b) => compareBytes(a.hash, b.hash));
    return new RedisStateCut(connection, id, { epoch, sequence: Number(sequence) }, parts);
  }

  async *entries(batchObjects = CUT_BATCH_OBJECTS): AsyncGenerator<StateEntry[]> {
    for (const { hash, keys } of this.#parts) {
      for (let start = 0; start < keys.length; start += batchObjects) {
        yield await this.#read(hash, keys.slice(start, start + batchObjects));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Where Redis is away, the cut ends there by itself.
    await this.#connection.run(CLOSE_CUT, [this.#id]).catch(() => undefined);
  }

  async #read(hash: string, keys: readonly string[]): Promise<StateEntry[]> {
    const reply = await this.#connection.runForBytes(READ_CUT, [this.#id, CUT_IDLE_MS, hash, ...keys]);
    const values = reply as (Buffer | null)[];
    if (values.length !== keys.length) {
      throw new LogUnavailable(`A reading of the state at ${this.#connection.where} was left for too long`, {
        hint: "Read the state again, faster",
      });
    }
    return keys.flatMap((key, n) => {
      const value = values[n];
      return value ? [stateEntry(hash, key, value)] : [];
    });
  }
}

function inOrder(keys: readonly string[]): string[] {
  return keys.toSorted(compareBytes);
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

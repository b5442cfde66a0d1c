import { compareBytes } from "../../shared/compare-bytes.ts";
import type { Connection } from "./connection.ts";
import { Reply } from "./reply.ts";
import type { StoreParts } from "./store-parts.ts";

interface Kind {
  /** Key of the set of names: `consumers`. */
  readonly names: string;
  /** Key of one hash, before its name: `consumer:`. */
  readonly each: string;
  readonly fields: readonly string[];
}

/** What a feed keeps under names that others choose: a hash for each, and the set of the names. */
export class NamedHashes {
  readonly #connection: Connection;
  readonly #prefix: string;
  readonly #kind: Kind;

  constructor({ connection, prefix }: Pick<StoreParts, "connection" | "prefix">, kind: Kind) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#kind = kind;
  }

  /** The fields of one, all of them null where there is none. */
  async get(name: string): Promise<Reply> {
    return this.replyOf(name, await this.#connection.call(...this.#asking(name)));
  }

  /** Those whose names begin so, ordered by name. */
  async list(beginning = ""): Promise<(readonly [name: string, fields: Reply])[]> {
    const key = `${this.#prefix}${this.#kind.names}`;
    const all = new Reply(await this.#connection.call("SMEMBERS", key), this.#connection.source(key)).texts();
    const names = all.filter((name) => name.startsWith(beginning)).toSorted(compareBytes);
    const replies = await this.#connection.each(names.map((name) => this.#asking(name)));
    return names.map((name, n) => [name, this.replyOf(name, replies[n])] as const);
  }

  /** The fields of one, as a script answered them. */
  replyOf(name: string, reply: unknown): Reply {
    return new Reply(reply, this.#connection.source(this.#keyOf(name)));
  }

  #asking(name: string): readonly [command: string, ...args: string[]] {
    return ["HMGET", this.#keyOf(name), ...this.#kind.fields];
  }

  #keyOf(name: string): string {
    return `${this.#prefix}${this.#kind.each}${name}`;
  }
}

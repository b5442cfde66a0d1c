import { parseCursor, type Cursor, formatCursor } from "../../schemas/cursor.ts";
import { DeadLettersFull } from "../errors.ts";
import type { DeadLetter, DeadLetterStore, Parked } from "../log.ts";
import { idAndFieldsOf, timeText } from "./codec.ts";
import { integerOf, Reply, wrong } from "./reply.ts";
import { script } from "./scripts.ts";
import type { StoreParts } from "./store-parts.ts";

/**
 * ARGV: consumer, stream id, how many letters there may be, then the fields and their values.
 * Answers the fields of the letter that is kept, or nothing where there are too many.
 * A stream takes entries at its end only, so for a letter that belongs before others, or before one that was removed,
 * the stream is written again; events are parked nearly in order.
 */
const PUT = script(`
local key, id = PREFIX .. 'dlq:' .. ARGV[1], ARGV[2]
local kept = redis.call('XRANGE', key, id, id)[1]
if kept then return kept[2] end
if redis.call('XLEN', key) >= tonumber(ARGV[3]) then return {} end
local fields = { unpack(ARGV, 4) }
local added = redis.pcall('XADD', key, id, unpack(fields))
if type(added) == 'string' then return fields end
if not string.find(added.err, 'equal or smaller', 1, true) then
  -- Not returned but met again: before 7.0 its first word would be lost.
  redis.call('XADD', key, id, unpack(fields))
  return fields
end
local before = redis.call('XRANGE', key, '-', '(' .. id)
local later = redis.call('XRANGE', key, '(' .. id, '+')
redis.call('DEL', key)
for _, entry in ipairs(before) do redis.call('XADD', key, entry[1], unpack(entry[2])) end
redis.call('XADD', key, id, unpack(fields))
for _, entry in ipairs(later) do redis.call('XADD', key, entry[1], unpack(entry[2])) end
return fields
`);

/** ARGV: consumer, stream ids. Answers how many there were. */
const REMOVE = script(`
local key, removed = PREFIX .. 'dlq:' .. ARGV[1], 0
for n = 2, #ARGV do removed = removed + redis.call('XDEL', key, ARGV[n]) end
if redis.call('XLEN', key) == 0 then redis.call('DEL', key) end
return removed
`);

export class RedisDeadLetters implements DeadLetterStore {
  readonly #parts: StoreParts;
  readonly #most: number;

  /** `most`: of one consumer. */
  constructor(parts: StoreParts, most: number) {
    this.#parts = parts;
    this.#most = most;
  }

  async put(consumer: string, letter: Parked): Promise<DeadLetter> {
    const connection = this.#parts.writing();
    const fields = fieldsOf({ ...letter, parkedAt: timeText(this.#parts.clock.now()) });
    const reply = await connection.run(PUT, [consumer, streamId(letter.cursor), this.#most, ...fields]);
    const kept = new Reply(reply, this.#parts.connection.source(this.#keyOf(consumer))).texts();
    if (kept.length === 0) throw new DeadLettersFull(consumer, this.#most);
    return this.#letterOf(consumer, kept);
  }

  async list(consumer: string, { after, limit }: { after?: Cursor; limit: number }): Promise<DeadLetter[]> {
    const start = after === undefined ? "-" : `(${streamId(after)}`;
    const key = this.#keyOf(consumer);
    // Null where nothing was asked for.
    const entries = await this.#parts.connection.call("XRANGE", key, start, "+", "COUNT", Math.max(0, limit));
    const source = this.#parts.connection.source(key);
    return new Reply(entries ?? [], source).parts.map((entry) =>
      this.#letterOf(consumer, idAndFieldsOf(entry, source)[1]),
    );
  }

  async remove(consumer: string, cursors: readonly Cursor[]): Promise<number> {
    return Number(await this.#parts.writing().run(REMOVE, [consumer, ...cursors.map(streamId)]));
  }

  async count(consumer: string): Promise<number> {
    return Number(await this.#parts.connection.call("XLEN", this.#keyOf(consumer)));
  }

  #keyOf(consumer: string): string {
    return `${this.#parts.prefix}dlq:${consumer}`;
  }

  #letterOf(consumer: string, fields: readonly string[]): DeadLetter {
    const [, json = "", , id = "", , place = "", , reason = "", , attempts = "", , parkedAt = ""] = fields;
    const source = this.#parts.connection.source(this.#keyOf(consumer));
    const cursor = parseCursor(place);
    if (cursor === undefined) throw wrong(source, "an entry", "a dead letter", fields);
    return { cursor, id, json, reason, attempts: integerOf(attempts, "attempts", source), parkedAt };
  }
}

function fieldsOf({ json, id, cursor, reason, attempts, parkedAt }: DeadLetter): (string | number)[] {
  const what = ["data", json, "id", id, "cursor", formatCursor(cursor)];
  return [...what, "reason", reason, "attempts", attempts, "parkedAt", parkedAt];
}

/**
 * `<sequence>-<epoch>`, the epoch read as a number: one id for each cursor, in the order of sequences, also where
 * sequences begin again in another epoch.
 */
function streamId({ sequence, epoch }: Cursor): string {
  return `${sequence}-${Number.parseInt(epoch, 36)}`;
}

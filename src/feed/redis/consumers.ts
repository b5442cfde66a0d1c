import type { Cursor } from "../../schemas/cursor.ts";
import { ConsumersFull, ConsumerTaken } from "../errors.ts";
import { FOR_ALL, type Consumer, type ConsumerStore, type PutOptions } from "../log.ts";
import { timeText } from "./codec.ts";
import { NamedHashes } from "./named-hashes.ts";
import { Reply, wrong } from "./reply.ts";
import { script } from "./scripts.ts";
import type { StoreParts } from "./store-parts.ts";

const FIELDS = ["epoch", "sequence", "updatedAt", "lastError", "owner"] as const;

/**
 * ARGV: name, epoch, sequence, now, error, "rewind" or '', then in whose name: owner or '', "manages" or ''; and how
 * many names there may be, of the owner and in all, '' for any number.
 * Answers ["", the consumer's fields as they are then], ["taken"], or ["full", how many, whose].
 */
const PUT_CONSUMER = script(`
local key, names, owner, manages = PREFIX .. 'consumer:' .. ARGV[1], PREFIX .. 'consumers', ARGV[7], ARGV[8] ~= ''
local function has(set, limit) return limit ~= '' and redis.call('SCARD', set) >= tonumber(limit) end
local stored = redis.call('HMGET', key, 'epoch', 'sequence', 'lastError', 'owner')
local of = stored[4] or ''
if not stored[1] then
  if has(names, ARGV[10]) then return { 'full', ARGV[10], 'all' } end
  if owner ~= '' and has(PREFIX .. 'consumers-of:' .. owner, ARGV[9]) then return { 'full', ARGV[9], 'owner' } end
elseif manages then
  owner = of
elseif of ~= '' and of ~= owner then
  return { 'taken' }
end
local ahead = not stored[1] or ARGV[6] == 'rewind'
if not ahead then
  if stored[1] == ARGV[2] then
    ahead = tonumber(ARGV[3]) > tonumber(stored[2])
  else
    ahead = redis.call('HGET', META, 'epoch') == ARGV[2]
  end
end
if ahead then redis.call('HSET', key, 'epoch', ARGV[2], 'sequence', ARGV[3]) end
if ahead or stored[3] ~= ARGV[5] then redis.call('HSET', key, 'updatedAt', ARGV[4], 'lastError', ARGV[5]) end
redis.call('SADD', names, ARGV[1])
if owner ~= '' then
  redis.call('HSET', key, 'owner', owner)
  redis.call('SADD', PREFIX .. 'consumers-of:' .. owner, ARGV[1])
end
return { '', unpack(redis.call('HMGET', key, 'epoch', 'sequence', 'updatedAt', 'lastError', 'owner')) }
`);

/** ARGV: name, owner or '', "manages" or ''. Its dead letters go too. Answers 1 where there was one, or "taken". */
const REMOVE_CONSUMER = script(`
local key = PREFIX .. 'consumer:' .. ARGV[1]
local of = redis.call('HGET', key, 'owner') or ''
if ARGV[3] == '' and redis.call('EXISTS', key) == 1 and of ~= ARGV[2] then return 'taken' end
redis.call('SREM', PREFIX .. 'consumers', ARGV[1])
redis.call('SREM', PREFIX .. 'consumers-of:' .. of, ARGV[1])
redis.call('DEL', PREFIX .. 'dlq:' .. ARGV[1])
return redis.call('DEL', key)
`);

export class RedisConsumers implements ConsumerStore {
  readonly #parts: StoreParts;
  readonly #hashes: NamedHashes;

  constructor(parts: StoreParts) {
    this.#parts = parts;
    this.#hashes = new NamedHashes(parts, { names: "consumers", each: "consumer:", fields: FIELDS });
  }

  async get(name: string): Promise<Consumer | undefined> {
    return consumerOf(name, await this.#hashes.get(name));
  }

  async list(): Promise<Consumer[]> {
    const found = await this.#hashes.list();
    return found.flatMap(([name, fields]) => consumerOf(name, fields) ?? []);
  }

  async put(name: string, cursor: Cursor, options: PutOptions = {}): Promise<Consumer> {
    const { lastError = "", rewind = false, by = FOR_ALL, limits = {} } = options;
    const answer = await this.#parts
      .writing()
      .run(PUT_CONSUMER, [
        name,
        cursor.epoch,
        cursor.sequence,
        timeText(this.#parts.clock.now()),
        lastError,
        rewind ? "rewind" : "",
        by.owner ?? "",
        by.manages ? "manages" : "",
        limits.ofOwner ?? "",
        limits.total ?? "",
      ]);
    const source = this.#parts.connection.source("the answer to PUT_CONSUMER");
    const reply = new Reply(answer, source);
    const refusal = reply.text(0, "refusal");
    if (refusal === "taken") throw new ConsumerTaken(name);
    if (refusal === "full")
      throw new ConsumersFull(
        reply.integer(1, "limit"),
        reply.text(2, "whose") === "owner" ? "owner" : "all",
      );
    const consumer = consumerOf(name, this.#hashes.replyOf(name, reply.parts.slice(1)));
    if (consumer === undefined) throw wrong(source, "the consumer", "what was put", answer);
    return consumer;
  }

  async remove(name: string, by = FOR_ALL): Promise<boolean> {
    const asked = [name, by.owner ?? "", by.manages ? "manages" : ""];
    const reply = await this.#parts.writing().run(REMOVE_CONSUMER, asked);
    if (reply === "taken") throw new ConsumerTaken(name);
    return reply === 1;
  }
}

/** Undefined where there is none. */
function consumerOf(name: string, fields: Reply): Consumer | undefined {
  const epoch = fields.textOrNull(0, "epoch");
  const updatedAt = fields.textOrNull(2, "updatedAt");
  if (!epoch || !updatedAt) return undefined;
  const cursor = { epoch, sequence: fields.integer(1, "sequence") };
  const lastError = fields.textOrNull(3, "lastError") || null;
  return { name, cursor, updatedAt, lastError, owner: fields.textOrNull(4, "owner") || null };
}

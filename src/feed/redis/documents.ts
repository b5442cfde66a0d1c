import { assertDocumentFits } from "../document-size.ts";
import { Fenced } from "../errors.ts";
import type { DocumentStore, StoredDocument } from "../log.ts";
import { timeText } from "./codec.ts";
import { NamedHashes } from "./named-hashes.ts";
import { Reply } from "./reply.ts";
import { script } from "./scripts.ts";
import type { StoreParts } from "./store-parts.ts";

const FIELDS = ["owner", "fence", "updatedAt", "text"] as const;

/**
 * Fences come from one count, and are no less than the time: where Redis lost its newest writes, a fence that was lost
 * is not given out again.
 */
const DOCUMENT = `
local key = PREFIX .. 'document:' .. ARGV[1]
local function nextFence()
  local fence = text(math.max((tonumber(redis.call('GET', PREFIX .. 'document-fence')) or 0) + 1, nowMs()))
  redis.call('SET', PREFIX .. 'document-fence', fence)
  return fence
end
`;

/** ARGV: name, owner, now. Answers the document. */
const CLAIM_DOCUMENT = script(`
${DOCUMENT}
redis.call('SADD', PREFIX .. 'documents', ARGV[1])
redis.call('HSET', key, 'owner', ARGV[2], 'fence', nextFence(), 'updatedAt', ARGV[3])
return redis.call('HMGET', key, 'owner', 'fence', 'updatedAt', 'text')
`);

/**
 * ARGV: name, fence, now, text, "change" where the fence rises. Answers [owner, fence, updated at], or [fence] where
 * that is another, [''] where there is none. A change whose answer was lost is asked for again, and known by what it
 * replaced.
 */
const WRITE_DOCUMENT = script(`
${DOCUMENT}
local kept = redis.call('HMGET', key, 'fence', 'replaced', 'text')
if not kept[1] then return { '' } end
local changes = ARGV[5] == 'change'
local isDone = changes and kept[2] == ARGV[2] and kept[3] == ARGV[4]
if kept[1] ~= ARGV[2] and not isDone then return { kept[1] } end
if not isDone then
  if changes then redis.call('HSET', key, 'fence', nextFence(), 'replaced', ARGV[2]) end
  redis.call('HSET', key, 'text', ARGV[4], 'updatedAt', ARGV[3])
end
return redis.call('HMGET', key, 'owner', 'fence', 'updatedAt')
`);

/** ARGV: name. Answers 1 where there was one. */
const REMOVE_DOCUMENT = script(`
redis.call('SREM', PREFIX .. 'documents', ARGV[1])
return redis.call('DEL', PREFIX .. 'document:' .. ARGV[1])
`);

export class RedisDocuments implements DocumentStore {
  readonly #parts: StoreParts;
  readonly #hashes: NamedHashes;

  constructor(parts: StoreParts) {
    this.#parts = parts;
    this.#hashes = new NamedHashes(parts, { names: "documents", each: "document:", fields: FIELDS });
  }

  async get(name: string): Promise<StoredDocument | undefined> {
    return keptDocument(name, await this.#hashes.get(name));
  }

  async list(prefix: string): Promise<StoredDocument[]> {
    const found = await this.#hashes.list(prefix);
    return found.flatMap(([name, fields]) => keptDocument(name, fields) ?? []);
  }

  async claim(name: string, owner: string): Promise<StoredDocument> {
    const reply = await this.#parts
      .writing()
      .run(CLAIM_DOCUMENT, [name, owner, timeText(this.#parts.clock.now())]);
    const fields = new Reply(reply, this.#parts.connection.source("the answer to CLAIM_DOCUMENT"));
    return documentOf(name, fields, fields.textOrNull(3, "text"));
  }

  async save(name: string, fence: number, text: string): Promise<void> {
    await this.#write(name, fence, text, "save");
  }

  async change(name: string, fence: number, text: string): Promise<StoredDocument> {
    return this.#write(name, fence, text, "change");
  }

  async remove(name: string): Promise<boolean> {
    return (await this.#parts.writing().run(REMOVE_DOCUMENT, [name])) === 1;
  }

  async #write(name: string, fence: number, text: string, how: "save" | "change"): Promise<StoredDocument> {
    assertDocumentFits(name, text);
    const asked = [name, fence, timeText(this.#parts.clock.now()), text, how];
    const reply = await this.#parts.writing().run(WRITE_DOCUMENT, asked);
    const fields = new Reply(reply, this.#parts.connection.source("the answer to WRITE_DOCUMENT"));
    if (fields.length > 1) return documentOf(name, fields, text);
    throw new Fenced(`Document ${name}`, fence, fields.integerOrNull(0, "fence") ?? 0);
  }
}

/** Undefined where there is none. */
function keptDocument(name: string, fields: Reply): StoredDocument | undefined {
  if (fields.textOrNull(0, "owner") === null) return undefined;
  return documentOf(name, fields, fields.textOrNull(3, "text"));
}

function documentOf(name: string, fields: Reply, text: string | null): StoredDocument {
  const [owner, fence] = [fields.text(0, "owner"), fields.integer(1, "fence")];
  return { name, owner, fence, text, updatedAt: fields.text(2, "updatedAt") };
}

import type { Connection } from "../../feed/redis/connection.ts";
import { LogUnavailable } from "../../feed/errors.ts";
import { Reply } from "../../feed/redis/reply.ts";
import { script } from "../../feed/redis/scripts.ts";
import { ChangefeedError } from "../../schemas/errors.ts";
import { aborted } from "../../shared/aborted.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Broadcast, BroadcastListener, Speech, Voice } from "../broadcast.ts";
import { Hearing, type BroadcastEntry, type Turn } from "./hearing.ts";
import { Speaker, type Podium } from "./speaker.ts";

/** Who is behind by more than that has heard nothing for too long. */
const KEPT_MS = 10_000;
/** So long after the last word nothing of it is left. */
const GONE_AFTER_MS = 60_000;
/** How long Redis may hold one question; the connection takes a longer silence for its death. */
const BLOCK_MS = 4_000;
const RETRY_MS = 1_000;
const ENTRIES_AT_ONCE = 100;

/** ARGV: speaker, number of the turn, 1 for the speaker's first. Answers 0 where another speaks since that one. */
const TAKE = script(`
local now = redis.call('GET', PREFIX .. 'hints-turn')
if now and ARGV[3] ~= '1' and string.sub(now, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
redis.call('SET', PREFIX .. 'hints-turn', ARGV[1] .. ':' .. ARGV[2])
return 1
`);

/**
 * ARGV: speaker, number of the turn, sequence, messages (a line each).
 * Answers [1 where the turn is the newest, else 0 and nothing is said; how often something was asked].
 */
const SAY = script(`
if redis.call('GET', PREFIX .. 'hints-turn') ~= ARGV[1] .. ':' .. ARGV[2] then return { 0, 0 } end
redis.call('XADD', PREFIX .. 'hints', 'MINID', '~', text(nowMs() - ${KEPT_MS}), '*',
  'speaker', ARGV[1], 'turn', ARGV[2], 'sequence', ARGV[3], 'messages', ARGV[4])
redis.call('PEXPIRE', PREFIX .. 'hints', ${GONE_AFTER_MS})
return { 1, tonumber(redis.call('GET', PREFIX .. 'hints-asked') or 0) }
`);

export interface RedisBroadcastParts {
  /** To speak by. */
  readonly connection: Connection;
  /** To listen by: what blocks has a connection of its own. */
  readonly connect: () => Connection;
  readonly prefix: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** One stream beside the log's keys, of what was said within the last seconds. */
export class RedisBroadcast implements Broadcast, Podium {
  readonly #parts: RedisBroadcastParts;

  constructor(parts: RedisBroadcastParts) {
    this.#parts = parts;
  }

  speak(speech: Speech, signal: AbortSignal): Voice {
    const speaker = new Speaker(this, speech, this.#parts.clock);
    return { say: (message) => speaker.say(message), ended: speaker.run(signal) };
  }

  async listen(listener: BroadcastListener, signal: AbortSignal): Promise<void> {
    const { clock, connect, logger } = this.#parts;
    let isFailing = false;
    const hearing = new Hearing(listener, clock);
    while (!signal.aborted) {
      const connection = connect();
      try {
        await Promise.race([this.#follow(connection, hearing), aborted(signal)]);
      } catch (error) {
        if (!(error instanceof ChangefeedError)) throw error;
        hearing.lose("what is said cannot be read from Redis");
        // While Redis is away, the log's own connection says so.
        const level = isFailing || error instanceof LogUnavailable ? "debug" : "warn";
        isFailing = true;
        logger[level]({ err: error }, "cannot hear the worker that follows Nomad's event stream; retrying");
        await clock.sleep(RETRY_MS, signal);
      } finally {
        connection.close();
      }
    }
    hearing.lose("nobody listens any more");
  }

  async ask(): Promise<void> {
    await this.#parts.connection.call("INCR", `${this.#parts.prefix}hints-asked`);
  }

  async take({ speaker, number }: Turn, isFirst: boolean): Promise<boolean> {
    return (await this.#parts.connection.run(TAKE, [speaker, number, isFirst ? 1 : 0])) === 1;
  }

  async say({ turn, sequence, messages }: BroadcastEntry): Promise<{ isHeard: boolean; asked: number }> {
    const { connection } = this.#parts;
    const args = [turn.speaker, turn.number, sequence, messages.join("\n")];
    const answer = new Reply(await connection.run(SAY, args), connection.source("the answer to SAY"));
    return { isHeard: answer.integer(0, "whether it is heard") === 1, asked: answer.integer(1, "asked") };
  }

  /** Rejects when Redis does not answer. */
  async #follow(connection: Connection, hearing: Hearing): Promise<never> {
    let after = await this.#newest(connection);
    for (;;) {
      const entries = await this.#read(connection, after);
      for (const { entry } of entries) hearing.hear(entry);
      // Where nothing comes, what was there may be gone, and what comes after have lower ids.
      after = entries.at(-1)?.id ?? (hearing.isSteady ? after : await this.#newest(connection));
    }
  }

  async #newest(connection: Connection): Promise<string> {
    const key = this.#key;
    const reply = await connection.call("XREVRANGE", key, "+", "-", "COUNT", 1);
    const [newest] = new Reply(reply, connection.source(key)).lists("entry");
    return newest?.text(0, "id") ?? "0-0";
  }

  async #read(connection: Connection, after: string): Promise<{ id: string; entry: BroadcastEntry }[]> {
    const key = this.#key;
    const limits = ["COUNT", ENTRIES_AT_ONCE, "BLOCK", BLOCK_MS] as const;
    const reply = await connection.call("XREAD", ...limits, "STREAMS", key, after);
    if (reply === null) return [];
    const whole = new Reply(reply, connection.source(key));
    // In a list of streams, or flat, as the protocol has it.
    const stream = Array.isArray(whole.parts[0]) ? whole.list(0, "stream") : whole;
    return stream.list(1, "entries").lists("entry").map(entryOf);
  }

  get #key(): string {
    return `${this.#parts.prefix}hints`;
  }
}

function entryOf(reply: Reply): { id: string; entry: BroadcastEntry } {
  const fields = reply.list(1, "fields");
  const messages = fields.text(7, "messages");
  return {
    id: reply.text(0, "id"),
    entry: {
      turn: { speaker: fields.text(1, "speaker"), number: fields.integer(3, "turn") },
      sequence: fields.integer(5, "sequence"),
      messages: messages === "" ? [] : messages.split("\n"),
    },
  };
}

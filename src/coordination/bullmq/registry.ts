import type { Connection } from "../../feed/redis/connection.ts";
import { script } from "../../feed/redis/scripts.ts";
import type { DutyStatus } from "../../schemas/duty-schema.ts";
import type { DutyPlan } from "../coordination.ts";

/**
 * ARGV: worker, its duties (JSON), its report (JSON), ms after which a silent worker counts as gone.
 * Answers [the plan as pairs, the workers and their duties as pairs].
 */
const BEAT = script(`
local now, timeout = nowMs(), tonumber(ARGV[4])
redis.call('HSET', PREFIX .. 'workers', ARGV[1], ARGV[2])
redis.call('HSET', PREFIX .. 'reports', ARGV[1], ARGV[3])
redis.call('ZADD', PREFIX .. 'beats', text(now), ARGV[1])
-- After a failover the clock may be another one, and behind.
for _, range in ipairs({ { '-inf', '(' .. text(now - timeout) }, { '(' .. text(now + timeout), '+inf' } }) do
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', PREFIX .. 'beats', range[1], range[2])) do
    redis.call('ZREM', PREFIX .. 'beats', gone)
    redis.call('HDEL', PREFIX .. 'workers', gone)
    redis.call('HDEL', PREFIX .. 'reports', gone)
  end
end
return { redis.call('HGETALL', PREFIX .. 'plan'), redis.call('HGETALL', PREFIX .. 'workers') }
`);

/** ARGV: worker. */
const LEAVE = script(`
redis.call('ZREM', PREFIX .. 'beats', ARGV[1])
redis.call('HDEL', PREFIX .. 'reports', ARGV[1])
return redis.call('HDEL', PREFIX .. 'workers', ARGV[1])
`);

/** Answers the term of who plans from now on. */
const BEGIN_TERM = script(`return redis.call('INCR', PREFIX .. 'plan-term')`);

/** ARGV: term, then the plan as pairs. Answers 0, and changes nothing, where a later term has begun. */
const ANNOUNCE = script(`
if redis.call('GET', PREFIX .. 'plan-term') ~= ARGV[1] then return 0 end
redis.call('DEL', PREFIX .. 'plan')
for n = 2, #ARGV, 2 do redis.call('HSET', PREFIX .. 'plan', ARGV[n], ARGV[n + 1]) end
return 1
`);

/** Worker to the duties it holds. */
export type Workers = ReadonlyMap<string, readonly string[]>;

/** What the workers of a feed know of each other: who is there, who holds what, and the plan. */
export class Registry {
  readonly #connection: Connection;
  readonly #prefix: string;
  readonly #worker: string;
  readonly #timeoutMs: number;

  constructor(options: { connection: Connection; prefix: string; worker: string; timeoutMs: number }) {
    this.#connection = options.connection;
    this.#prefix = options.prefix;
    this.#worker = options.worker;
    this.#timeoutMs = options.timeoutMs;
  }

  /** Says that this worker lives and what it does. Answers the plan and who else lives, this one included. */
  async beat(report: readonly DutyStatus[]): Promise<{ plan: DutyPlan; workers: Workers }> {
    const duties = JSON.stringify(report.map(({ duty }) => duty));
    const reply = await this.#connection.run(BEAT, [
      this.#worker,
      duties,
      JSON.stringify(report),
      this.#timeoutMs,
    ]);
    const [plan = [], workers = []] = reply as string[][];
    const held = [...pairs(workers)].map(([worker, text]) => [worker, JSON.parse(text) as string[]] as const);
    return { plan: planOf(plan), workers: new Map(held) };
  }

  async leave(): Promise<void> {
    await this.#connection.run(LEAVE, [this.#worker]);
  }

  /** Makes this worker the one that plans. */
  async beginTerm(): Promise<number> {
    return Number(await this.#connection.run(BEGIN_TERM, []));
  }

  /** False where somebody else has begun to plan since. */
  async announce(term: number, plan: DutyPlan): Promise<boolean> {
    return (await this.#connection.run(ANNOUNCE, [term, ...[...plan].flat()])) === 1;
  }

  /** The plan, what every worker said last of its duties, and for how long it has said nothing. */
  async reports(): Promise<{
    plan: DutyPlan;
    reports: readonly DutyStatus[];
    silentMs: ReadonlyMap<string, number>;
  }> {
    const [plan, reports, beats, time] = await this.#connection.each([
      ["HGETALL", `${this.#prefix}plan`],
      ["HGETALL", `${this.#prefix}reports`],
      ["ZRANGE", `${this.#prefix}beats`, 0, -1, "WITHSCORES"],
      ["TIME"],
    ]);
    const [seconds = 0, micros = 0] = (time as string[]).map(Number);
    const nowMs = seconds * 1000 + micros / 1000;
    const all = [...pairs(reports as string[]).values()].flatMap((text) => JSON.parse(text) as DutyStatus[]);
    const silentMs = [...pairs(beats as string[])].map(
      ([worker, atMs]) => [worker, Math.max(0, Math.round(nowMs - Number(atMs)))] as const,
    );
    return { plan: planOf(plan as string[]), reports: all, silentMs: new Map(silentMs) };
  }
}

function planOf(flat: readonly string[]): DutyPlan {
  return new Map([...pairs(flat)].map(([duty, what]) => [duty, what === "finish" ? "finish" : "perform"]));
}

function pairs(flat: readonly string[]): Map<string, string> {
  const map = new Map<string, string>();
  for (let n = 0; n + 1 < flat.length; n += 2) map.set(flat[n] ?? "", flat[n + 1] ?? "");
  return map;
}

import type { Connection } from "../../feed/redis/connection.ts";
import { isTexts, jsonOf, Reply } from "../../feed/redis/reply.ts";
import { script } from "../../feed/redis/scripts.ts";
import { assignmentsSchema, type AssignmentStatus } from "../../schemas/assignment-schema.ts";
import type { AssignmentPlan } from "../coordination.ts";

/**
 * ARGV: worker, its assignments (JSON), its report (JSON), ms after which a silent worker counts as gone, and after
 * which as silent.
 * Answers [the plan as pairs, the workers and their assignments as pairs, the workers that are silent].
 */
const BEAT = script(`
local now, timeout = nowMs(), tonumber(ARGV[4])
-- Who was kept from speaking, as when Redis stood still, cannot tell who of the others is silent.
local own = tonumber(redis.call('ZSCORE', PREFIX .. 'beats', ARGV[1]) or 0)
local silence = own < now - ARGV[5] and timeout or ARGV[5]
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
local silent = redis.call('ZRANGEBYSCORE', PREFIX .. 'beats', '-inf', '(' .. text(now - silence))
return { redis.call('HGETALL', PREFIX .. 'plan'), redis.call('HGETALL', PREFIX .. 'workers'), silent }
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

/** Worker to the assignments it holds. */
export type Workers = ReadonlyMap<string, readonly string[]>;

/** What a worker hears when it says that it lives. */
export interface Heard {
  readonly plan: AssignmentPlan;
  /** Who lives, the one who asks included. */
  readonly workers: Workers;
  /** Who has said nothing for a while: it may hold its assignments yet, and takes no others. */
  readonly silent: Workers;
}

/** What the workers of a feed know of each other: who is there, who holds what, and the plan. */
export class Registry {
  readonly #connection: Connection;
  readonly #prefix: string;
  readonly #worker: string;
  readonly #timeoutMs: number;
  readonly #silentMs: number;

  constructor(options: {
    readonly connection: Connection;
    readonly prefix: string;
    readonly worker: string;
    readonly timeoutMs: number;
    /** A worker that has said nothing for so long may be gone. */
    readonly silentMs: number;
  }) {
    this.#connection = options.connection;
    this.#prefix = options.prefix;
    this.#worker = options.worker;
    this.#timeoutMs = options.timeoutMs;
    this.#silentMs = options.silentMs;
  }

  /** Says that this worker lives and what it does. */
  async beat(report: readonly AssignmentStatus[]): Promise<Heard> {
    const assignments = JSON.stringify(report.map(({ assignment }) => assignment));
    const all = JSON.stringify(report);
    const waits = [this.#timeoutMs, this.#silentMs];
    const reply = await this.#connection.run(BEAT, [this.#worker, assignments, all, ...waits]);
    const source = this.#connection.source("the answer to BEAT");
    const heard = new Reply(reply, source);
    const quiet = heard.list(2, "the silent").texts();
    const held = [...heard.list(1, "the workers").fields()].map(
      ([worker, text]) => [worker, jsonOf(text, isTexts, `what worker ${worker} holds`, source)] as const,
    );
    const isSilent = ([worker]: readonly [string, unknown]) => quiet.includes(worker);
    return {
      plan: planOf(heard.list(0, "the plan").fields()),
      workers: new Map(held.filter((each) => !isSilent(each))),
      silent: new Map(held.filter(isSilent)),
    };
  }

  async leave(): Promise<void> {
    await this.#connection.run(LEAVE, [this.#worker]);
  }

  /** Makes this worker the one that plans. */
  async beginTerm(): Promise<number> {
    return Number(await this.#connection.run(BEGIN_TERM, []));
  }

  /** False where somebody else has begun to plan since. */
  async announce(term: number, plan: AssignmentPlan): Promise<boolean> {
    return (await this.#connection.run(ANNOUNCE, [term, ...[...plan].flat()])) === 1;
  }

  /** The plan, and what every worker said last of its assignments, who spoke last coming last. */
  async reports(): Promise<{ plan: AssignmentPlan; reports: readonly AssignmentStatus[] }> {
    const [plan, reports, beats, time] = await this.#connection.each([
      ["HGETALL", `${this.#prefix}plan`],
      ["HGETALL", `${this.#prefix}reports`],
      ["ZRANGE", `${this.#prefix}beats`, 0, -1, "WITHSCORES"],
      ["TIME"],
    ]);
    const read = (reply: unknown, what: string) => new Reply(reply, this.#connection.source(what));
    const clock = read(time, "the answer to TIME");
    const nowMs = clock.integer(0, "seconds") * 1000 + clock.integer(1, "microseconds") / 1000;
    const source = this.#connection.source(`${this.#prefix}reports`);
    const texts = new Reply(reports, source).fields();
    // Pairs in pairs, or flat, as the protocol has it.
    const scores = read(read(beats, "beats").parts.flat(), `${this.#prefix}beats`).fields();
    const all = [...scores].flatMap(([worker, atMs]) => {
      const silentMs = Math.max(0, Math.round(nowMs - Number(atMs)));
      const said = jsonOf(texts.get(worker) ?? "[]", isReports, `what worker ${worker} says`, source);
      return silentMs < this.#silentMs ? said : said.map((report) => silentFor(silentMs, report));
    });
    return { plan: planOf(read(plan, `${this.#prefix}plan`).fields()), reports: all };
  }
}

/** What a silent worker said last is no longer known to be true. */
function silentFor(ms: number, report: AssignmentStatus): AssignmentStatus {
  if (report.state !== "held") return report;
  const reason = `its worker has said nothing for ${Math.round(ms / 1000)} s`;
  return { ...report, condition: "stale", reason, lagMs: (report.lagMs ?? 0) + ms };
}

function isReports(value: unknown): value is AssignmentStatus[] {
  return assignmentsSchema.shape.assignments.safeParse(value).success;
}

function planOf(fields: ReadonlyMap<string, string>): AssignmentPlan {
  return new Map(
    [...fields].map(([assignment, what]) => [assignment, what === "finish" ? "finish" : "perform"]),
  );
}

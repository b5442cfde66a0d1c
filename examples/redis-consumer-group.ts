/**
 * One worker of a group that shares the events of a feed in Redis; start as many as you like, end them as you like.
 * Each event has its effect once, whoever dies when. See README.md beside this file.
 *
 *   node examples/redis-consumer-group.ts --redis redis://127.0.0.1:6379 --feed default --group alerts --name one
 */
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";

const { values: options } = parseArgs({
  options: {
    redis: { type: "string", default: "redis://127.0.0.1:6379" },
    feed: { type: "string", default: "default" },
    group: { type: "string", default: "alerts" },
    /** Each worker its own; one that comes back under its name finds what it had left. */
    name: { type: "string", default: `${hostname()}-${process.pid}` },
    /** A worker that has not finished an event after so long is taken for dead. */
    "idle-ms": { type: "string", default: "30000" },
    /** Pretends that an event takes so long. */
    "work-ms": { type: "string", default: "0" },
  },
});
const { group, name } = options;
const idleMs = Number(options["idle-ms"]);
const feedKey = (key: string) => `ncf:{${options.feed}}:${key}`;
// The braces put our keys beside the feed's, also in a cluster: the effect and the XACK are one script.
const ownKey = (key: string) => `example:{${options.feed}}:${group}:${key}`;

const BATCH = 10;
/** An event can come again for as long as a slow worker holds it. */
const REMEMBERED_SECONDS = 7 * 86_400;
/** Goes behind a sequence: all of Nomad's indexes are below. */
const END = "18446744073709551615";

/** The effect (a line in a list), the note that this event had it, and the acknowledgement: all or nothing. */
const FINISH = `
if redis.call('SET', KEYS[2], 1, 'NX', 'EX', ARGV[3]) then redis.call('RPUSH', KEYS[3], ARGV[4]) end
return redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])`;

type Entry = [id: string, fields: string[] | null];

const redis = new Redis(options.redis, {
  replyMapping: "legacy",
  // Wait for a Redis that restarts, and do not wait for one that is gone without a word.
  maxRetriesPerRequest: null,
  socketTimeout: 15_000,
});
let outage = "";
redis.on("error", ({ message }: Error) => {
  if (message !== outage) say(`Redis: ${message}; trying again`);
  outage = message;
});
redis.on("ready", () => (outage = ""));
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    stop.abort();
    // A Redis that is away would be waited for; what we hold is taken over by others.
    if (redis.status !== "ready") process.exit();
  });
}

function say(text: string): void {
  process.stderr.write(`${name}: ${text}\n`);
}

const sequenceOf = (id: string) => Number(id.split("-")[0]);

/** Begins the group at the oldest event there is. */
async function begin(): Promise<void> {
  const floor = await redis.hget(feedKey("meta"), "floor");
  if (floor === null) throw new Error(`there is no feed ${options.feed} at ${options.redis}`);
  try {
    await redis.xgroup("CREATE", feedKey("log"), group, `${floor}-${END}`, "MKSTREAM");
  } catch (error) {
    if (!String(error).includes("BUSYGROUP")) throw error;
  }
}

/** What workers hold that have not finished it for too long, ourselves before a crash included. */
async function takeOver(): Promise<Entry[]> {
  const log = feedKey("log");
  const reply = await redis.xautoclaim(log, group, name, idleMs, "0", "COUNT", BATCH);
  const [, entries, gone = []] = reply as [string, Entry[], string[]?];
  for (const id of gone) say(`LOST: event ${id} was removed from the log before anybody had dealt with it`);
  return entries;
}

/**
 * What nobody was given yet. Read in one with the group's place before: where the first event does not follow it,
 * retention was faster than the group. XREADGROUP itself skips without a word.
 */
async function takeNew(): Promise<{ entries: Entry[]; lastId: string }> {
  const log = feedKey("log");
  const replies = await redis
    .multi()
    .hget(feedKey("meta"), "epoch")
    .xinfo("GROUPS", log)
    .xreadgroup("GROUP", group, name, "COUNT", BATCH, "STREAMS", log, ">")
    .exec();
  const [epoch, groups, read] = (replies ?? []).map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  }) as [string, string[][], [key: string, entries: Entry[]][] | null];
  noticeEpoch(epoch);
  const entries = read?.[0]?.[1] ?? [];
  const lastId = placeOf(groups);
  const first = entries[0]?.[0];
  const missing = sequenceOf(lastId) + 1;
  if (first !== undefined && sequenceOf(first) > missing) {
    say(`LOST: retention removed events ${missing} to ${sequenceOf(first) - 1} before they were read`);
  }
  return { entries, lastId: entries.at(-1)?.[0] ?? lastId };
}

let knownEpoch: string | undefined;

/** The group's place went back together with the log, so there is nothing to do but for effects outside of Redis. */
function noticeEpoch(epoch: string): void {
  if (knownEpoch !== undefined && epoch !== knownEpoch) {
    say(
      `EPOCH: now ${epoch}; Redis lost its newest events or may have; what changed is told again, under other sequences`,
    );
  }
  knownEpoch = epoch;
}

function placeOf(groups: string[][]): string {
  const own = groups.find((fields) => fields[fields.indexOf("name") + 1] === group) ?? [];
  return own[own.indexOf("last-delivered-id") + 1] ?? "0-0";
}

async function handle([entryId, fields]: Entry): Promise<void> {
  const data = fields?.[fields.indexOf("data") + 1];
  if (data === undefined) return;
  // `id` is the same whenever and wherever the same change of Nomad is told.
  const { id } = JSON.parse(data) as { id: string };
  await sleep(Number(options["work-ms"]));
  const keys = [feedKey("log"), ownKey(`done:${id}`), ownKey("effects")];
  await redis.eval(FINISH, keys.length, ...keys, group, entryId, REMEMBERED_SECONDS, `${name} ${id}`);
}

async function work(): Promise<void> {
  await begin();
  say("ready");
  while (!stop.signal.aborted) {
    const abandoned = await takeOver();
    const { entries, lastId } = await takeNew();
    // An event that we took and do not finish is taken over by the next, or by us.
    for (const entry of [...abandoned, ...entries]) await handle(entry);
    if (abandoned.length + entries.length > 0) continue;
    await redis.xread("COUNT", 1, "BLOCK", Math.min(idleMs, 1000), "STREAMS", feedKey("log"), lastId);
  }
}

while (!stop.signal.aborted) {
  try {
    await work();
  } catch (error) {
    // A Redis that restarts or fails over; where it has forgotten the group, it is begun again.
    say(String(error));
    await sleep(1000);
  }
}
redis.disconnect();

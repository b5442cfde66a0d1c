import { createHash } from "node:crypto";
import { PARTITIONS } from "./postings.ts";

/** A Lua script, run by its digest; Redis runs it whole or not at all, and nothing beside it. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

/**
 * Begins every script. KEYS[1] is the feed's `meta`, whose prefix every other key shares: all lie in one slot.
 * Numbers become text by `text`, because Lua writes large ones with an exponent.
 */
const PRELUDE = `
local META = KEYS[1]
local PREFIX = string.sub(META, 1, -5)
local LOG = PREFIX .. 'log'
local function text(number) return string.format('%.0f', number) end
local function place()
  local m = redis.call('HMGET', META, 'epoch', 'sequence', 'floor', 'bytes', 'at', 'fence')
  if not m[1] then return nil end
  return { epoch = m[1], sequence = tonumber(m[2]), floor = tonumber(m[3]), bytes = tonumber(m[4]),
    at = tonumber(m[5]), fence = tonumber(m[6]) }
end
local function entryAt(sequence)
  local found = redis.call('XRANGE', LOG, text(sequence), text(sequence), 'COUNT', 1)
  return found[1]
end
-- The entry's field 'at', ms since 1970: when it was recorded. It never falls from one event to the next.
local function recorded(entry) return tonumber(entry[2][4]) end
local function lastBefore(here, time)
  local low, high = here.floor, here.sequence
  while low < high do
    local middle = math.ceil((low + high) / 2)
    local entry = entryAt(middle)
    if entry and recorded(entry) < time then low = middle else high = middle - 1 end
  end
  return low
end
local function nowMs()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
-- By Redis's own clock, which all writers share, unless the writer brings one.
local function timeOr(given) return tonumber(given) or nowMs() end
-- Names the history of this server's data set: another one after every failover, and after most restarts.
local function replid() return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') or '' end
-- Begins the feed where there is none. Answers its place.
local function begin(source, epoch, at)
  if redis.call('EXISTS', META) == 0 then
    redis.call('HSET', META, 'schema', 2, 'source', source, 'epoch', epoch, 'sequence', 0, 'floor', 0, 'bytes', 0,
      'fence', 0, 'nomadEpoch', 0, 'at', 0, 'createdAt', at, 'replid', replid())
  end
  return place()
end
-- No other event has the same: its id and when it was recorded.
local function stampOf(entry) return entry[1] .. '/' .. entry[2][4] end
-- Sequence of the newest event that the stream ever took, and its id; 0 where there is no stream any more. It tells an
-- entry that another program deleted from one that was lost with the log's tail.
local function newestTaken()
  if redis.call('EXISTS', LOG) == 0 then return 0, '' end
  local facts = redis.call('XINFO', 'STREAM', LOG)
  for n = 1, #facts, 2 do
    if facts[n] == 'last-generated-id' then return tonumber(string.match(facts[n + 1], '^%d+')), facts[n + 1] end
  end
  return 0, ''
end
-- Whether the place tells of events that the stream never took: its key is gone, or another one.
local function isLogGone(here) return here.sequence > here.floor and newestTaken() < here.sequence end
-- Whether the log no longer holds what this writer saw in it: a failover, or a restart, lost its tail.
local function lostItsTail(here, epoch, sequence, stamp)
  if epoch == '' then return false end
  if not here then return true end
  if here.epoch ~= epoch or sequence <= here.floor then return false end
  if here.sequence < sequence then return true end
  local entry = entryAt(sequence)
  if entry then return stampOf(entry) ~= stamp end
  local taken, id = newestTaken()
  return taken < sequence or (taken == sequence and string.sub(stamp, 1, #id + 1) ~= id .. '/')
end
local function overlapping(resource, namespace)
  local names = { namespace, '*' }
  if namespace == '*' then
    names = {}
    for _, scope in ipairs(redis.call('SMEMBERS', PREFIX .. 'scopes')) do
      local split = string.find(scope, ':', 1, true)
      if string.sub(scope, 1, split - 1) == resource then names[#names + 1] = string.sub(scope, split + 1) end
    end
  end
  return names
end
`;

/** Lua: records a scope, unless it is known, as one that was read and is empty. */
export const KNOWN_EMPTY = `
local function knownEmpty(scope)
  if redis.call('SADD', PREFIX .. 'scopes', scope) == 1 then
    redis.call('HSET', PREFIX .. 'scope:' .. scope, 'fence', 0, 'owner', '', 'baselined', 1)
  end
end
`;

/**
 * Lua: `counts` holds how many objects each state hash has, so that a hash that another program deleted does not look
 * like one that is empty; -1 from when that is found until its scope was read anew.
 */
export const COUNTS = `
local COUNTED = PREFIX .. 'counts'
local function isShort(state)
  local count = tonumber(redis.call('HGET', COUNTED, state) or '-1')
  return count >= 0 and count ~= redis.call('HLEN', PREFIX .. 'state:' .. state)
end
local function statesOf(resource, namespace)
  if namespace ~= '*' then return { resource .. ':' .. namespace } end
  local found = {}
  for _, state in ipairs(redis.call('SMEMBERS', PREFIX .. 'states')) do
    if string.sub(state, 1, #resource + 1) == resource .. ':' then found[#found + 1] = state end
  end
  return found
end
`;

export function script(body: string): Script {
  const lua = PRELUDE + body;
  return { lua, sha: createHash("sha1").update(lua).digest("hex") };
}

/** ARGV: source, epoch for a new feed, now or ''. */
export const OPEN = script(`
begin(ARGV[1], ARGV[2], text(timeOr(ARGV[3])))
return 1
`);

/**
 * Where the feed is, as a writer checks it. ARGV: what it saw: epoch, sequence, stamp.
 * Answers ["lost", epoch or ''] where the log lost what was seen; ["unverified", epoch] where the server's data set
 * has another history than when the log was last checked and this writer has seen nothing by which to tell whether
 * events are gone; else ["", epoch, sequence, floor, Nomad epoch, stamp of the newest event].
 */
export const CHECK = script(`
local here = place()
if lostItsTail(here, ARGV[1], tonumber(ARGV[2]), ARGV[3]) then return { 'lost', here and here.epoch or '' } end
if not here then return { '', '' } end
local history = replid()
if redis.call('HGET', META, 'replid') ~= history then
  if ARGV[1] ~= here.epoch then return { 'unverified', here.epoch } end
  redis.call('HSET', META, 'replid', history)
end
local newest = redis.call('XREVRANGE', LOG, '+', '-', 'COUNT', 1)[1]
if isLogGone(here) then return { 'lost', here.epoch } end
local _, id = newestTaken()
if not newest or newest[1] ~= id then return { '', here.epoch, text(here.sequence), text(here.floor),
  redis.call('HGET', META, 'nomadEpoch'), id .. '/' } end
return { '', here.epoch, text(here.sequence), text(here.floor), redis.call('HGET', META, 'nomadEpoch'),
  newest and stampOf(newest) or '' }
`);

/**
 * ARGV: resource, namespace, owner, source, epoch for a new feed, now or '', highest fence the writer was given, then
 * what it saw: epoch, sequence, stamp.
 * Answers ["lost"], or [fence, objects in the scope, then for each overlapping scope its namespace and its hash as it
 * was before].
 */
export const CLAIM = script(`
${COUNTS}
local resource, namespace = ARGV[1], ARGV[2]
if lostItsTail(place(), ARGV[8], tonumber(ARGV[9]), ARGV[10]) then return { 'lost' } end
local here = begin(ARGV[4], ARGV[5], text(timeOr(ARGV[6])))
local known, count = {}, 0
for _, state in ipairs(statesOf(resource, namespace)) do
  if isShort(state) then redis.call('HSET', COUNTED, state, -1) end
end
for _, other in ipairs(overlapping(resource, namespace)) do
  local row = redis.call('HGETALL', PREFIX .. 'scope:' .. resource .. ':' .. other)
  if #row > 0 then
    known[#known + 1] = other
    known[#known + 1] = row
  end
end
if namespace == '*' then
  for _, state in ipairs(redis.call('SMEMBERS', PREFIX .. 'states')) do
    if string.sub(state, 1, #resource + 1) == resource .. ':' then
      count = count + redis.call('HLEN', PREFIX .. 'state:' .. state)
    end
  end
else
  count = redis.call('HLEN', PREFIX .. 'state:' .. resource .. ':' .. namespace)
end
local fence, history = math.max(here.fence, tonumber(ARGV[7])) + 1, replid()
-- Fences that were lost must not be given out again: somebody may still hold them.
if redis.call('HGET', META, 'fencedUnder') ~= history and here.fence > 0 then fence = fence + 1000000 end
redis.call('HSET', META, 'fence', text(fence), 'fencedUnder', history)
redis.call('SADD', PREFIX .. 'scopes', resource .. ':' .. namespace)
redis.call('HSET', PREFIX .. 'scope:' .. resource .. ':' .. namespace, 'fence', text(fence), 'owner', ARGV[3],
  'epoch', here.epoch)
local answer = { text(fence), text(count) }
for _, part in ipairs(known) do answer[#answer + 1] = part end
return answer
`);

/** ARGV: now, or ''. Answers [now, when the oldest and the newest event were recorded, '' where there is none]. */
export const TIMES = script(`
local now = text(timeOr(ARGV[1]))
local oldest = redis.call('XRANGE', LOG, '-', '+', 'COUNT', 1)[1]
if not oldest then return { now, '', '' } end
local newest = redis.call('XREVRANGE', LOG, '+', '-', 'COUNT', 1)[1]
return { now, text(recorded(oldest)), text(recorded(newest)) }
`);

/** ARGV: scopes, as `resource:namespace`. */
export const BEGIN_EMPTY = script(`
${KNOWN_EMPTY}
for _, scope in ipairs(ARGV) do knownEmpty(scope) end
return 1
`);

/** Answers `resource:namespace` of every state hash that holds anything. */
export const FILLED = script(`
local found = {}
for _, state in ipairs(redis.call('SMEMBERS', PREFIX .. 'states')) do
  if redis.call('EXISTS', PREFIX .. 'state:' .. state) == 1 then found[#found + 1] = state end
end
return found
`);

/**
 * Removes the oldest events beyond the limits, at most a hundred, and segments of the index that find none any more.
 * ARGV: greatest number of events, of bytes, the time before which they go, and the sequence after which none goes; ''
 * where there is no such limit. Answers [floor, removed].
 */
export const TRIM = script(`
local PARTITIONS = { ${PARTITIONS.map((name) => `'${name}'`).join(", ")} }
local here = place()
if not here or here.sequence == here.floor then return { here and text(here.floor) or '0', 0 } end
local maxEvents, maxBytes, before = tonumber(ARGV[1]), tonumber(ARGV[2]) or math.huge, tonumber(ARGV[3])
local last = tonumber(ARGV[4]) or here.sequence
local wanted = here.floor
if maxEvents then wanted = math.max(wanted, here.sequence - maxEvents) end
if before then wanted = math.max(wanted, lastBefore(here, before)) end
if wanted <= here.floor and here.bytes <= maxBytes then return { text(here.floor), 0 } end
local floor, bytes, removed, cut = here.floor, here.bytes, 0, {}
for _, entry in ipairs(redis.call('XRANGE', LOG, text(floor + 1), '+', 'COUNT', 100)) do
  -- Not always the next number: another program may have deleted entries.
  local sequence, fields = tonumber(string.match(entry[1], '^%d+')), entry[2]
  if sequence > last then break end
  floor = sequence - 1
  if floor >= wanted and bytes <= maxBytes then break end
  floor, removed = sequence, removed + 1
  bytes = bytes - #fields[2] - redis.call('HSTRLEN', PREFIX .. 'overflow', text(floor))
  cut[#cut + 1] = text(floor)
end
if #cut == 0 then return { text(floor), 0 } end
redis.call('XTRIM', LOG, 'MINID', '=', text(floor + 1))
for _, resource in ipairs(redis.call('SMEMBERS', PREFIX .. 'streams')) do
  redis.call('XTRIM', PREFIX .. 'stream:' .. resource, 'MINID', '=', text(floor + 1))
end
redis.call('HDEL', PREFIX .. 'overflow', unpack(cut))
for _, segment in ipairs(redis.call('ZRANGEBYSCORE', PREFIX .. 'segments', '-inf', text(floor))) do
  for _, partition in ipairs(PARTITIONS) do redis.call('DEL', PREFIX .. 'by:' .. segment .. ':' .. partition) end
  redis.call('ZREM', PREFIX .. 'segments', segment)
end
redis.call('HSET', META, 'floor', text(floor), 'bytes', text(bytes))
return { text(floor), removed }
`);

/** ARGV: times. Answers [epoch, floor, then for each time the last sequence recorded before it]. */
export const BEFORE = script(`
local here = place()
if not here then return {} end
local answer = { here.epoch, text(here.floor) }
for _, time in ipairs(ARGV) do answer[#answer + 1] = text(lastBefore(here, tonumber(time))) end
return answer
`);

/**
 * ARGV: name, epoch, sequence, now, error, "rewind" or '', then in whose name: owner or '', "manages" or ''; and how
 * many names there may be, of the owner and in all, '' for any number.
 * Answers ["", the consumer's fields as they are then], ["taken"], or ["full", how many, whose].
 */
export const PUT_CONSUMER = script(`
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
export const REMOVE_CONSUMER = script(`
local key = PREFIX .. 'consumer:' .. ARGV[1]
local of = redis.call('HGET', key, 'owner') or ''
if ARGV[3] == '' and redis.call('EXISTS', key) == 1 and of ~= ARGV[2] then return 'taken' end
redis.call('SREM', PREFIX .. 'consumers', ARGV[1])
redis.call('SREM', PREFIX .. 'consumers-of:' .. of, ARGV[1])
redis.call('DEL', PREFIX .. 'dlq:' .. ARGV[1])
return redis.call('DEL', key)
`);

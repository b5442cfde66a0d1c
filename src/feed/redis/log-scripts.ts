import { PARTITIONS } from "./postings.ts";
import { COUNTS, KNOWN_EMPTY, script } from "./scripts.ts";

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

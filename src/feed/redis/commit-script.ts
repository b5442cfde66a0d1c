import { KEEP } from "./consistent-read-scripts.ts";
import { SEGMENT_EVENTS } from "./postings.ts";
import { KNOWN_EMPTY, COUNTS, script } from "./scripts.ts";

/**
 * Appends what follows in ARGV from `position` on, see `appendArguments` in commit.ts: the kinds of events, as JSON;
 * what overflowed, with its event's position; for each event its kind, Nomad index, key, facts and text; the index's
 * lines by partition. An event's text is whole where it is `sealed`; else it is its head and its tail, between which
 * its place is written. Redis's Lua hashes every byte of every string it makes, so that joining long ones is dear.
 * Answers how many events, their bytes, and the last sequence.
 */
export const APPEND = `
local position
local function take()
  position = position + 1
  return ARGV[position - 1]
end
local function seal(head, tail, epoch, number, overflows)
  local cursor = epoch .. '-' .. number
  local dataref = overflows and '"dataref":"data/' .. cursor .. '",' or ''
  return head .. '"sequence":"' .. string.rep('0', 16 - #number) .. number .. '","cursor":"' .. cursor .. '",'
    .. dataref .. tail
end
-- Of the index: the segment that the event after this sequence belongs to.
local function segmentAfter(sequence)
  local open = redis.call('ZREVRANGE', PREFIX .. 'segments', 0, 0)[1]
  if open and sequence - tonumber(open) < ${SEGMENT_EVENTS} then return open end
  return text(sequence + 1)
end
local function append(epoch, before, at, perResource, sealed)
  local kinds, overflows, bytes, atText = cjson.decode(take()), {}, 0, text(at)
  for _ = 1, tonumber(take()) do
    local n = tonumber(take())
    overflows[n] = take()
    bytes = bytes + #overflows[n]
    redis.call('HSET', PREFIX .. 'overflow', text(before + n), overflows[n])
  end
  local count = tonumber(take())
  for n = 1, count do
    local type, op, namespace, severity, resource = unpack(kinds[tonumber(ARGV[position])])
    local id = string.format('%.0f-%s', before + n, ARGV[position + 1])
    local key, facts, data = ARGV[position + 2], ARGV[position + 3], ARGV[position + 4]
    position = position + 5
    if not sealed then data = seal(data, take(), epoch, text(before + n), overflows[n]) end
    bytes = bytes + #data
    redis.call('XADD', LOG, id, 'data', data, 'at', atText, 'type', type, 'op', op, 'ns', namespace, 'key', key,
      'sev', severity, 'facts', facts)
    if perResource and resource ~= '' then
      redis.call('SADD', PREFIX .. 'streams', resource)
      redis.call('XADD', PREFIX .. 'stream:' .. resource, id, 'data', data, 'at', atText, 'type', type, 'op', op,
        'ns', namespace, 'key', key, 'sev', severity, 'facts', facts)
    end
  end
  local partitions = tonumber(take())
  if partitions > 0 then
    local segment, block = segmentAfter(before), '@' .. text(before) .. '\\n'
    redis.call('ZADD', PREFIX .. 'segments', text(before + count), segment)
    for _ = 1, partitions do
      redis.call('APPEND', PREFIX .. 'by:' .. segment .. ':' .. take(), block .. take())
    end
  end
  return count, bytes, before + count
end
`;

/**
 * Begins a new epoch, with the event that says so, where the one that the writer knew has ended: the log lost what the
 * writer saw, or nobody can tell whether it lost anything.
 *
 * ARGV: source, the epoch that ends ('' where the whole feed is gone), the new one, now or '', "1" for a stream per
 * resource, what the writer saw (epoch, sequence, stamp); then the event and its indexes as a commit has them.
 * Answers [epoch, sequence, stamp of the newest event]; nothing where somebody else was first.
 */
export const RENEW = script(`
${APPEND}
local here = place()
if ARGV[2] ~= (here and here.epoch or '') then return {} end
local gone = here and isLogGone(here)
local lost = gone or lostItsTail(here, ARGV[6], tonumber(ARGV[7]), ARGV[8])
local history = replid()
if not lost and redis.call('HGET', META, 'replid') == history then return {} end
here = begin(ARGV[1], ARGV[3], text(timeOr(ARGV[4])))
-- Nothing before the event that follows is there any more: who asks for it is told so.
if gone then
  redis.call('HSET', META, 'floor', text(here.sequence))
  redis.call('DEL', PREFIX .. 'overflow')
  here.bytes = 0
end
position = 9
local at = math.max(here.at, timeOr(ARGV[4]))
local _, bytes, sequence = append(ARGV[3], here.sequence, at, ARGV[5] == '1', false)
redis.call('HSET', META, 'epoch', ARGV[3], 'sequence', text(sequence), 'bytes', text(here.bytes + bytes),
  'at', text(at), 'replid', history)
return { ARGV[3], text(sequence), stampOf(entryAt(sequence)) }
`);

/**
 * The only way changes and state are written. Refuses an old fence, answers a repetition with the range it had, and
 * otherwise appends, writes state and moves the checkpoint. The first write takes memory, so that a server out of
 * memory refuses it before anything has changed.
 *
 * ARGV: resource, namespace, fence, expected rev, commit id, now or '', checkpoint, notes, Nomad epoch, what the writer
 * saw (epoch, sequence, stamp), "1" for a stream per resource, the place (epoch, sequence) behind which the events are
 * sealed, or '' twice; then lists, each after its length: known-empty scopes; what APPEND reads; states (name, number
 * written, key, value …, number removed, keys …).
 *
 * Answers ["committed", first, last, rev, epoch, time of recording], ["duplicate", first, last, rev], ["lost"],
 * ["fenced", current fence], ["unclaimed", current fence], ["conflict", rev], or ["moved"] where the events are sealed
 * for another place than theirs.
 */
export const COMMIT = script(`
${APPEND}
${KNOWN_EMPTY}
${COUNTS}
local resource, namespace, fence = ARGV[1], ARGV[2], tonumber(ARGV[3])
local key = PREFIX .. 'scope:' .. resource .. ':' .. namespace
local here = place()
if lostItsTail(here, ARGV[10], tonumber(ARGV[11]), ARGV[12]) then return { 'lost' } end
if not here then return { 'conflict', '0' } end
local own = redis.call('HMGET', key, 'fence', 'rev', 'commitId', 'first', 'last', 'epoch')
local newest = 0
for _, other in ipairs(overlapping(resource, namespace)) do
  local row = redis.call('HGET', PREFIX .. 'scope:' .. resource .. ':' .. other, 'fence')
  newest = math.max(newest, tonumber(row or 0))
end
local rev = tonumber(own[2] or 0)
if newest > fence then return { 'fenced', text(newest) } end
-- What the log does not know of a fence that it gave out it has lost, perhaps with the scope's last commits; and what
-- was claimed under an epoch that ended may rest on such commits.
if not own[1] then return { 'unclaimed', text(newest) } end
if tonumber(own[1]) ~= fence or own[6] ~= here.epoch then return { 'conflict', text(rev) } end
if rev ~= tonumber(ARGV[4]) then
  if own[3] ~= ARGV[5] then return { 'conflict', text(rev) } end
  return { 'duplicate', own[4], own[5], text(rev) }
end
local states = statesOf(resource, namespace)
for _, state in ipairs(states) do
  -- Whoever holds the scope expects what is gone: it has to claim it again and read everything anew.
  if isShort(state) then return { 'conflict', text(rev) } end
end
local sealed = ARGV[14] ~= ''
if sealed and (here.epoch ~= ARGV[14] or here.sequence ~= tonumber(ARGV[15])) then return { 'moved' } end

local at = math.max(here.at, timeOr(ARGV[6]))
position = 16
rev = rev + 1
redis.call('HSET', key, 'rev', text(rev), 'commitId', ARGV[5])
if ARGV[7] ~= '' then
  redis.call('HSET', key, 'baselined', 1, 'checkpoint', ARGV[7], 'checkpointFence', ARGV[3])
end
if ARGV[8] ~= '' then redis.call('HSET', key, 'memo', ARGV[8]) end
for _ = 1, tonumber(take()) do knownEmpty(take()) end
local count, bytes, sequence = append(here.epoch, here.sequence, at, ARGV[13] == '1', sealed)

${KEEP}
for _ = 1, tonumber(take()) do
  local name = take()
  local state = PREFIX .. 'state:' .. name
  redis.call('SADD', PREFIX .. 'states', name)
  redis.call('HSETNX', COUNTED, name, redis.call('HLEN', state))
  local isCounted, change = tonumber(redis.call('HGET', COUNTED, name)) >= 0, 0
  local written = tonumber(take()) * 2
  if #open > 0 then
    for n = 0, written - 1, 2 do keep(name, state, ARGV[position + n]) end
  end
  for n = position, position + written - 1, 2000 do
    change = change + redis.call('HSET', state, unpack(ARGV, n, math.min(n + 1999, position + written - 1)))
  end
  position = position + written
  local gone = tonumber(take())
  if #open > 0 then
    for n = 0, gone - 1 do keep(name, state, ARGV[position + n]) end
  end
  for n = position, position + gone - 1, 2000 do
    change = change - redis.call('HDEL', state, unpack(ARGV, n, math.min(n + 1999, position + gone - 1)))
  end
  position = position + gone
  if isCounted and change ~= 0 then redis.call('HINCRBY', COUNTED, name, change) end
  if #open == 0 then unlistEmpty(name) end
end
if ARGV[7] ~= '' then
  -- The scope was read whole: what was missing of its state has come back by now.
  for _, state in ipairs(states) do
    if redis.call('HGET', COUNTED, state) == '-1' then
      redis.call('HSET', COUNTED, state, redis.call('HLEN', PREFIX .. 'state:' .. state))
    end
  end
end
if #open > 0 then boundKept() end

local first = count > 0 and text(here.sequence + 1) or '0'
local last = count > 0 and text(sequence) or '0'
redis.call('HSET', key, 'first', first, 'last', last)
redis.call('HSET', META, 'sequence', text(sequence), 'bytes', text(here.bytes + bytes))
if count > 0 then redis.call('HSET', META, 'at', text(at)) end
if tonumber(ARGV[9]) > tonumber(redis.call('HGET', META, 'nomadEpoch')) then
  redis.call('HSET', META, 'nomadEpoch', ARGV[9])
end
return { 'committed', first, last, text(rev), here.epoch, text(at) }
`);

import { script } from "./scripts.ts";

/** Number of ARGV of one event, in the order in which the script reads them; see `argumentsOf` in commit.ts. */
const EVENT_ARGUMENTS = 10;

/**
 * Appends what follows in ARGV from `position` on: events, then the indexes that find them, each after its length.
 * Answers how many events, their bytes, and the last sequence.
 */
const APPEND = `
local position
local function take()
  position = position + 1
  return ARGV[position - 1]
end
local function append(epoch, sequence, at, perResource)
  local before, count, bytes, atText = sequence, tonumber(take()), 0, text(at)
  for n = 1, count do
    sequence = sequence + 1
    local i = position + (n - 1) * ${EVENT_ARGUMENTS}
    local number = text(sequence)
    local cursor = epoch .. '-' .. number
    local overflow = ARGV[i + 9]
    local dataref = overflow == '' and '' or '"dataref":"/v1/data/' .. cursor .. '",'
    local data = ARGV[i] .. '"sequence":"' .. string.rep('0', 16 - #number) .. number .. '","cursor":"' .. cursor
      .. '",' .. dataref .. ARGV[i + 1]
    local id = number .. '-' .. ARGV[i + 2]
    redis.call('XADD', LOG, id, 'data', data, 'at', atText, 'type', ARGV[i + 3], 'op', ARGV[i + 4], 'ns', ARGV[i + 5],
      'key', ARGV[i + 6], 'sev', ARGV[i + 7], 'facts', ARGV[i + 8])
    bytes = bytes + #data
    if overflow ~= '' then
      bytes = bytes + #overflow
      redis.call('HSET', PREFIX .. 'overflow', number, overflow)
    end
    if perResource then
      local of = cjson.decode(ARGV[i + 8])[2]
      if of ~= '' then
        redis.call('SADD', PREFIX .. 'streams', of)
        redis.call('XADD', PREFIX .. 'stream:' .. of, id, 'data', data, 'at', atText, 'type', ARGV[i + 3],
          'op', ARGV[i + 4], 'ns', ARGV[i + 5], 'key', ARGV[i + 6], 'sev', ARGV[i + 7], 'facts', ARGV[i + 8])
      end
    end
  end
  position = position + count * ${EVENT_ARGUMENTS}
  for _ = 1, tonumber(take()) do
    local index, members = PREFIX .. 'by:' .. take(), {}
    for n = 1, tonumber(take()) do
      local number = text(before + tonumber(take()))
      members[#members + 1] = number
      members[#members + 1] = number
      if n % 1000 == 0 then
        redis.call('ZADD', index, unpack(members))
        members = {}
      end
    end
    if #members > 0 then redis.call('ZADD', index, unpack(members)) end
  end
  return count, bytes, sequence
end
`;

/**
 * Begins a new epoch, with the event that says so, where the one that the writer knew has ended: the log lost what the
 * writer saw, or nobody can tell whether it lost anything.
 *
 * ARGV: source, the epoch that ends ('' where the whole feed is gone), the new one, now, "1" for a stream per
 * resource, what the writer saw (epoch, sequence, stamp); then the event and its indexes as a commit has them.
 * Answers [epoch, sequence, stamp of the newest event]; nothing where somebody else was first.
 */
export const RENEW = script(`
${APPEND}
local here = place()
if ARGV[2] ~= (here and here.epoch or '') then return {} end
local lost = lostItsTail(here, ARGV[6], tonumber(ARGV[7]), ARGV[8])
local history = replid()
if not lost and redis.call('HGET', META, 'replid') == history then return {} end
here = begin(ARGV[1], ARGV[3], ARGV[4])
position = 9
local at = math.max(here.at, tonumber(ARGV[4]))
local _, bytes, sequence = append(ARGV[3], here.sequence, at, ARGV[5] == '1')
redis.call('HSET', META, 'epoch', ARGV[3], 'sequence', text(sequence), 'bytes', text(here.bytes + bytes),
  'at', text(at), 'replid', history)
return { ARGV[3], text(sequence), stampOf(entryAt(sequence)) }
`);

/**
 * The only way changes and state are written. Refuses an old fence, answers a repetition with the range it had, and
 * otherwise appends, writes state and moves the checkpoint. The first write takes memory, so that a server out of
 * memory refuses it before anything has changed.
 *
 * ARGV: resource, namespace, fence, expected rev, commit id, now, checkpoint, memo, Nomad epoch, what the writer saw (epoch,
 * sequence, stamp), "1" for a stream per resource; then lists, each after its length: births; events; indexes (name,
 * number of positions, positions); states (name, number written, key, value …, number removed, keys …).
 *
 * Answers ["committed", first, last, rev, epoch, time of recording], ["duplicate", first, last, rev], ["lost"],
 * ["fenced", current fence], ["unclaimed", current fence] or ["conflict", rev].
 */
export const COMMIT = script(`
${APPEND}
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

local at = math.max(here.at, tonumber(ARGV[6]))
position = 14
rev = rev + 1
redis.call('HSET', key, 'rev', text(rev), 'commitId', ARGV[5])
if ARGV[7] ~= '' then
  redis.call('HSET', key, 'baselined', 1, 'checkpoint', ARGV[7], 'checkpointFence', ARGV[3])
end
if ARGV[8] ~= '' then redis.call('HSET', key, 'memo', ARGV[8]) end
for _ = 1, tonumber(take()) do
  local scope = take()
  if redis.call('SADD', PREFIX .. 'scopes', scope) == 1 then
    redis.call('HSET', PREFIX .. 'scope:' .. scope, 'fence', 0, 'owner', '', 'baselined', 1)
  end
end
local count, bytes, sequence = append(here.epoch, here.sequence, at, ARGV[13] == '1')

local cuts = redis.call('ZRANGE', PREFIX .. 'cuts', 0, -1, 'WITHSCORES')
local open = {}
for n = 1, #cuts, 2 do
  if tonumber(cuts[n + 1]) > nowMs() then
    open[#open + 1] = PREFIX .. 'cut:' .. cuts[n]
  else
    redis.call('ZREM', PREFIX .. 'cuts', cuts[n])
    redis.call('DEL', PREFIX .. 'cut:' .. cuts[n])
  end
end
local function keep(name, state, field)
  local before = redis.call('HGET', state, field)
  if not before then return end
  for _, cut in ipairs(open) do
    if redis.call('EXISTS', cut) == 1 then redis.call('HSETNX', cut, name .. '\\0' .. field, before) end
  end
end
for _ = 1, tonumber(take()) do
  local name = take()
  local state = PREFIX .. 'state:' .. name
  redis.call('SADD', PREFIX .. 'states', name)
  local written = tonumber(take()) * 2
  if #open > 0 then
    for n = 0, written - 1, 2 do keep(name, state, ARGV[position + n]) end
  end
  for n = position, position + written - 1, 2000 do
    redis.call('HSET', state, unpack(ARGV, n, math.min(n + 1999, position + written - 1)))
  end
  position = position + written
  local gone = tonumber(take())
  if #open > 0 then
    for n = 0, gone - 1 do keep(name, state, ARGV[position + n]) end
  end
  for n = position, position + gone - 1, 2000 do
    redis.call('HDEL', state, unpack(ARGV, n, math.min(n + 1999, position + gone - 1)))
  end
  position = position + gone
end

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

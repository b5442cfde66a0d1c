import { COUNTS, script } from "./scripts.ts";

/** What commits may keep for all reads together. Beyond it the reads end: a Redis out of memory would end the feed. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024;
/** How many values a script moves at most, while nothing else runs. */
const FOLD_VALUES = 200;
/** Digits of a layer's number in a list of them. */
const NUMBER_WIDTH = 12;

/**
 * Lua: what commits replaced since a consistent read began lies in its layer, a hash `cut:<number>` from
 * `<state>\0<key>` to the value before, '' where there was none. A commit keeps each value once, in the newest layer:
 * what a read needs of an object is in the first layer that has it from its own one on, else in the state. The hash
 * `kept:<state>` tells of each key which layers have it, so that no read asks them all. The sorted set `cuts` holds the
 * layers with the time (ms) at which they end unless they are read; `cut-facts` how many reads a layer has and how many
 * bytes it holds.
 */
const LAYERS = `
local CUTS, FACTS = PREFIX .. 'cuts', PREFIX .. 'cut-facts'
local function layerKey(layer) return PREFIX .. 'cut:' .. text(layer) end
local function keptKey(state) return PREFIX .. 'kept:' .. state end
local function listed(layer) return string.format('%0${NUMBER_WIDTH}.0f', layer) end
local function numberAt(list, n) return tonumber(string.sub(list, (n - 1) * ${NUMBER_WIDTH} + 1, n * ${NUMBER_WIDTH})) end
-- Of the layers in a list, the first from this one on, and its place; nil where there is none.
local function firstFrom(list, layer)
  local low, high = 1, #list / ${NUMBER_WIDTH} + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if numberAt(list, middle) < layer then low = middle + 1 else high = middle end
  end
  return numberAt(list, low), low
end
local function isRead(layer)
  local ends = redis.call('ZSCORE', CUTS, text(layer))
  return ends and tonumber(ends) > nowMs()
end
-- Moves on the layer's end. False where its reads have ended.
local function touch(layer, ttl)
  if not isRead(layer) then return false end
  redis.call('ZADD', CUTS, 'XX', text(nowMs() + ttl), text(layer))
  return true
end
`;

/** Lua: what else opens, ends and writes need, which may change the layers. */
const NEEDED_LAYERS = `
${LAYERS}
-- What is empty is not listed any more, where no read needs what it held. It is not one that another program deleted.
local function unlistEmpty(state)
  if redis.call('EXISTS', PREFIX .. 'state:' .. state) == 1 then return end
  if redis.call('HGET', PREFIX .. 'counts', state) ~= '0' then return end
  redis.call('SREM', PREFIX .. 'states', state)
  redis.call('HDEL', PREFIX .. 'counts', state)
end
local function removeAll(all)
  for _, layer in ipairs(all) do redis.call('UNLINK', layerKey(layer)) end
  for _, state in ipairs(redis.call('SMEMBERS', PREFIX .. 'states')) do
    redis.call('UNLINK', keptKey(state))
    unlistEmpty(state)
  end
  redis.call('DEL', CUTS, FACTS)
end
-- Puts the layer 'into' where this one is in the list of the key, or nothing.
local function relist(name, layer, into)
  local split = string.find(name, '\\0', 1, true)
  local kept, key = keptKey(string.sub(name, 1, split - 1)), string.sub(name, split + 1)
  local list = redis.call('HGET', kept, key)
  local _, place = firstFrom(list, layer)
  list = string.sub(list, 1, (place - 1) * ${NUMBER_WIDTH}) .. (into and listed(into) or '')
    .. string.sub(list, place * ${NUMBER_WIDTH} + 1)
  if list == '' then redis.call('HDEL', kept, key) else redis.call('HSET', kept, key, list) end
end
-- Moves what nobody reads any more into the layer before, whose reads still need it, or drops it where there is none;
-- some of it at a time.
local function fold(layer, before)
  local found, bytes = redis.call('HRANDFIELD', layerKey(layer), ${FOLD_VALUES}, 'WITHVALUES'), 0
  for n = 1, #found, 2 do
    local name, value = found[n], found[n + 1]
    local isMoved = before and redis.call('HSETNX', layerKey(before), name, value) == 1
    relist(name, layer, isMoved and before)
    if isMoved then bytes = bytes + #name + #value end
    redis.call('HDEL', layerKey(layer), name)
  end
  if bytes > 0 then redis.call('HINCRBY', FACTS, 'bytes:' .. text(before), bytes) end
  if redis.call('EXISTS', layerKey(layer)) == 1 then return end
  redis.call('ZREM', CUTS, text(layer))
  redis.call('HDEL', FACTS, 'users:' .. text(layer), 'bytes:' .. text(layer))
end
-- The layers that are needed, oldest first. Folds one that is not.
local function layers()
  local found, now, ends, all, isAnyRead = redis.call('ZRANGE', CUTS, 0, -1, 'WITHSCORES'), nowMs(), {}, {}, false
  for n = 1, #found, 2 do
    local layer = tonumber(found[n])
    all[#all + 1] = layer
    ends[layer] = tonumber(found[n + 1])
    isAnyRead = isAnyRead or ends[layer] > now
  end
  if not isAnyRead then
    if #all > 0 then removeAll(all) end
    return {}
  end
  table.sort(all)
  for n, layer in ipairs(all) do
    if ends[layer] <= now then
      fold(layer, all[n - 1])
      if not redis.call('ZSCORE', CUTS, text(layer)) then table.remove(all, n) end
      break
    end
  end
  return all
end
`;

/** Lua for commits: before a field of a state hash is written or removed, `keep` has its value kept. */
export const KEEP = `
${NEEDED_LAYERS}
local open = layers()
local newest, keptBytes = open[#open], 0
local function keep(name, state, field)
  local list = redis.call('HGET', keptKey(name), field) or ''
  if list ~= '' and numberAt(list, #list / ${NUMBER_WIDTH}) == newest then return end
  local kept, before = name .. '\\0' .. field, redis.call('HGET', state, field) or ''
  redis.call('HSET', layerKey(newest), kept, before)
  redis.call('HSET', keptKey(name), field, list .. listed(newest))
  keptBytes = keptBytes + #kept + #before
end
local function boundKept()
  local bytes = redis.call('HINCRBY', FACTS, 'bytes:' .. text(newest), keptBytes)
  for n = 1, #open - 1 do bytes = bytes + tonumber(redis.call('HGET', FACTS, 'bytes:' .. text(open[n])) or 0) end
  if bytes > ${MAX_KEPT_BYTES} then removeAll(open) end
end
`;

/**
 * Begins a consistent read: from here on commits keep what they replace. Where nothing was replaced since the newest
 * read began, both share a layer.
 * ARGV: ms to live, "whole" where no object may be missing.
 * Answers [epoch, sequence, layer, then the names of the state hashes], or ["short", state hash] where that has lost
 * objects.
 */
export const OPEN_READ = script(`
${NEEDED_LAYERS}
${COUNTS}
local here = place()
if not here then return {} end
if ARGV[2] == 'whole' then
  for _, state in ipairs(redis.call('SMEMBERS', PREFIX .. 'states')) do
    if isShort(state) or redis.call('HGET', COUNTED, state) == '-1' then return { 'short', state } end
  end
end
local open = layers()
local layer = open[#open]
if not layer or not isRead(layer) or redis.call('EXISTS', layerKey(layer)) == 1 then
  layer = redis.call('HINCRBY', META, 'cuts', 1)
end
redis.call('HINCRBY', FACTS, 'users:' .. text(layer), 1)
redis.call('ZADD', CUTS, text(nowMs() + tonumber(ARGV[1])), text(layer))
local answer = { here.epoch, text(here.sequence), text(layer) }
for _, state in ipairs(redis.call('SMEMBERS', PREFIX .. 'states')) do answer[#answer + 1] = state end
return answer
`);

/**
 * ARGV: layer, ms to live, state hash.
 * Answers the keys that the hash had when the read began; null where the read has ended.
 */
export const READ_KEYS = script(`
${LAYERS}
local layer, state, known, keys = tonumber(ARGV[1]), ARGV[3], {}, {}
if not touch(layer, tonumber(ARGV[2])) then return false end
local kept = redis.call('HGETALL', keptKey(state))
for n = 1, #kept, 2 do
  local holder = firstFrom(kept[n + 1], layer)
  if holder then
    known[kept[n]] = true
    if redis.call('HSTRLEN', layerKey(holder), state .. '\\0' .. kept[n]) > 0 then keys[#keys + 1] = kept[n] end
  end
end
for _, key in ipairs(redis.call('HKEYS', PREFIX .. 'state:' .. state)) do
  if not known[key] then keys[#keys + 1] = key end
end
return keys
`);

/**
 * ARGV: layer, ms to live, bytes, state hash, keys.
 * Answers the values of the first keys as they were when the read began, until they are so many bytes; nothing where
 * the read has ended.
 */
export const READ_ENTRIES = script(`
${LAYERS}
local layer, state, values, bytes = tonumber(ARGV[1]), ARGV[4], {}, 0
if not touch(layer, tonumber(ARGV[2])) then return {} end
local kept = redis.call('HMGET', keptKey(state), unpack(ARGV, 5))
for n, list in ipairs(kept) do
  local key, holder = ARGV[n + 4], list and firstFrom(list, layer)
  local value
  if holder then value = redis.call('HGET', layerKey(holder), state .. '\\0' .. key)
  else value = redis.call('HGET', PREFIX .. 'state:' .. state, key) end
  if value == '' then value = false end
  values[n] = value
  bytes = bytes + (value and #value or 0)
  if bytes >= tonumber(ARGV[3]) then break end
end
return values
`);

/** ARGV: layer. */
export const CLOSE_READ = script(`
${NEEDED_LAYERS}
if redis.call('HINCRBY', FACTS, 'users:' .. ARGV[1], -1) > 0 then return 0 end
redis.call('HDEL', FACTS, 'users:' .. ARGV[1])
redis.call('ZADD', CUTS, 'XX', 0, ARGV[1])
layers()
return 1
`);

import { COUNTS, script } from "./scripts.ts";

/** What commits may keep for all reads together. Beyond it the reads end: a Redis out of memory would end the feed. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024;
/** How many values a script moves at most, while nothing else runs. */
const FOLD_VALUES = 200;

/**
 * Lua: what commits replaced since a consistent read began lies in its layer, a hash `cut:<number>` from
 * `<state>\0<key>` to the value before, '' where there was none. A commit keeps each value once, in the newest layer:
 * a read asks its own layer, then the newer ones, then the state, and takes what it finds first. The sorted set `cuts`
 * holds the layers with the time (ms) at which they end unless they are read; `cut-facts` how many reads a layer has
 * and how many bytes it holds.
 */
const LAYERS = `
local CUTS, FACTS = PREFIX .. 'cuts', PREFIX .. 'cut-facts'
local function layerKey(layer) return PREFIX .. 'cut:' .. text(layer) end
local function isRead(layer)
  local ends = redis.call('ZSCORE', CUTS, text(layer))
  return ends and tonumber(ends) > nowMs()
end
local function removeLayer(layer)
  redis.call('DEL', layerKey(layer))
  redis.call('ZREM', CUTS, text(layer))
  redis.call('HDEL', FACTS, 'users:' .. text(layer), 'bytes:' .. text(layer))
end
-- Moves what nobody reads any more into the layer before, whose reads still need it; some of it at a time.
local function fold(layer, into)
  local found = redis.call('HSCAN', layerKey(layer), 0, 'COUNT', ${FOLD_VALUES})[2]
  for n = 1, math.min(#found, ${2 * FOLD_VALUES}), 2 do
    if redis.call('HSETNX', layerKey(into), found[n], found[n + 1]) == 1 then
      redis.call('HINCRBY', FACTS, 'bytes:' .. text(into), #found[n] + #found[n + 1])
    end
    redis.call('HDEL', layerKey(layer), found[n])
  end
  if redis.call('EXISTS', layerKey(layer)) == 0 then removeLayer(layer) end
end
-- The layers that are needed, oldest first.
local function layers()
  local all, needed = {}, {}
  for _, name in ipairs(redis.call('ZRANGE', CUTS, 0, -1)) do
    local layer = tonumber(name)
    if layer then all[#all + 1] = layer else redis.call('ZREM', CUTS, name) end
  end
  table.sort(all)
  local folded = false
  for _, layer in ipairs(all) do
    if isRead(layer) then
      needed[#needed + 1] = layer
    elseif #needed == 0 then
      removeLayer(layer)
    else
      if not folded then fold(layer, needed[#needed]) end
      folded = true
      if redis.call('ZSCORE', CUTS, text(layer)) then needed[#needed + 1] = layer end
    end
  end
  return needed
end
-- The layer's key and those of newer ones; nil where its reads have ended. Its end moves on.
local function layersFrom(layer, ttl)
  if not isRead(layer) then return nil end
  redis.call('ZADD', CUTS, 'XX', text(nowMs() + ttl), text(layer))
  local keys = {}
  for _, other in ipairs(layers()) do
    if other >= layer then keys[#keys + 1] = layerKey(other) end
  end
  return keys
end
`;

/** Lua for commits: before a field of a state hash is written or removed, `keep` has its value kept. */
export const KEEP = `
${LAYERS}
local open = layers()
local newest = open[#open]
local function keep(name, state, field)
  local kept = name .. '\\0' .. field
  if redis.call('HEXISTS', layerKey(newest), kept) == 1 then return end
  local before = redis.call('HGET', state, field) or ''
  redis.call('HSET', layerKey(newest), kept, before)
  redis.call('HINCRBY', FACTS, 'bytes:' .. text(newest), #kept + #before)
end
local function boundKept()
  local bytes = 0
  for _, layer in ipairs(open) do bytes = bytes + tonumber(redis.call('HGET', FACTS, 'bytes:' .. text(layer)) or 0) end
  if bytes <= ${MAX_KEPT_BYTES} then return end
  for _, layer in ipairs(open) do removeLayer(layer) end
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
${LAYERS}
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
local newer = layersFrom(tonumber(ARGV[1]), tonumber(ARGV[2]))
if not newer then return false end
local begin, known, keys = ARGV[3] .. '\\0', {}, {}
for _, layer in ipairs(newer) do
  for _, field in ipairs(redis.call('HKEYS', layer)) do
    local key = string.sub(field, #begin + 1)
    if string.sub(field, 1, #begin) == begin and not known[key] then
      known[key] = true
      if redis.call('HSTRLEN', layer, field) > 0 then keys[#keys + 1] = key end
    end
  end
end
for _, key in ipairs(redis.call('HKEYS', PREFIX .. 'state:' .. ARGV[3])) do
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
local newer = layersFrom(tonumber(ARGV[1]), tonumber(ARGV[2]))
if not newer then return {} end
local values, bytes = {}, 0
for position = 5, #ARGV do
  local value = false
  for _, layer in ipairs(newer) do
    value = redis.call('HGET', layer, ARGV[4] .. '\\0' .. ARGV[position])
    if value then break end
  end
  if not value then value = redis.call('HGET', PREFIX .. 'state:' .. ARGV[4], ARGV[position]) end
  if value == '' then value = false end
  values[#values + 1] = value
  bytes = bytes + (value and #value or 0)
  if bytes >= tonumber(ARGV[3]) then break end
end
return values
`);

/** ARGV: layer. */
export const CLOSE_READ = script(`
${LAYERS}
if redis.call('HINCRBY', FACTS, 'users:' .. ARGV[1], -1) > 0 then return 0 end
redis.call('HDEL', FACTS, 'users:' .. ARGV[1])
redis.call('ZADD', CUTS, 'XX', 0, ARGV[1])
layers()
return 1
`);

import { createHash } from "node:crypto";

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
-- Of an entry that another program deleted, the one before it tells the time.
local function lastBefore(here, time)
  local low, high = here.floor, here.sequence
  while low < high do
    local middle = math.ceil((low + high) / 2)
    local entry = redis.call('XREVRANGE', LOG, text(middle), '-', 'COUNT', 1)[1]
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

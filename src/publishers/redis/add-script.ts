/** How many of the newest events of a stream are remembered by their ids: more than a delivery may ever have under way. */
export const REMEMBERED = 25_000;

/**
 * KEYS: the stream, and a sorted set of event ids beside it, each with the milliseconds of its entry. ARGV: most entries
 * of the stream (0: all are kept), how many ids are remembered, then of each event its id, type, subject and JSON.
 * Adds those that are not in the stream, all or none, and answers how many.
 */
export const ADD_EVENTS = `
local stream, ids = KEYS[1], KEYS[2]
local most, remembered = ARGV[1], tonumber(ARGV[2])

-- An id alone proves nothing: somebody may have emptied the stream.
local function isThere(id)
  local ms = redis.call('ZSCORE', ids, id)
  if not ms then return false end
  for _, entry in ipairs(redis.call('XRANGE', stream, ms, ms)) do
    if entry[2][2] == id then return true end
  end
  return false
end

local function add(id, type, subject, event)
  local trim = most == '0' and {} or {'MAXLEN', '~', most}
  local command = {'XADD', stream, unpack(trim)}
  for _, part in ipairs({'*', 'id', id, 'type', type, 'subject', subject, 'event', event}) do
    command[#command + 1] = part
  end
  local entry = redis.call(unpack(command))
  redis.call('ZADD', ids, string.match(entry, '^%d+'), id)
end

local added = 0
for at = 3, #ARGV, 4 do
  if not isThere(ARGV[at]) then
    add(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
    added = added + 1
  end
end
redis.call('ZREMRANGEBYRANK', ids, 0, -remembered - 1)
return added
`;

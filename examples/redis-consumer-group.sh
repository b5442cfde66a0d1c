#!/usr/bin/env bash
# One worker of a group that shares the events of a feed in Redis, with redis-cli alone. The same group as that of
# redis-consumer-group.ts: both kinds can work side by side. See README.md beside this file.
#
#   REDIS=redis://127.0.0.1:6379 FEED=default GROUP=alerts NAME=one examples/redis-consumer-group.sh
set -euo pipefail

redis=${REDIS:-redis://127.0.0.1:6379}
feed=${FEED:-default}
group=${GROUP:-alerts}
name=${NAME:-$(hostname)-$$}  # each worker its own
idle_ms=${IDLE_MS:-30000}     # a worker that has not finished an event after so long is taken for dead
work_s=${WORK_S:-0}           # pretends that an event takes so long
remembered_s=$((7 * 86400))   # an event can come again for as long as a slow worker holds it
log="ncf:{$feed}:log" meta="ncf:{$feed}:meta" own="example:{$feed}:$group"
end=18446744073709551615      # goes behind a sequence: all of Nomad's indexes are below

say() { printf '%s: %s\n' "$name" "$*" >&2; }
pause() { sleep 1 || true; } # Ctrl-C ends it too
cli() { redis-cli -e -u "$redis" --raw "$@"; }

# Takes what workers hold that have not finished it for too long, and what nobody was given yet. Answers lines: `event
# <entry> <id>`, `gone <entry>`, `gap <first> <last>`, `epoch <epoch>`, `place <entry>`. In one with the group's
# place before, because XREADGROUP itself skips without a word what retention was faster with.
take='
local log = KEYS[1]
local answer = { "epoch " .. tostring(redis.call("HGET", KEYS[2], "epoch")) }
local function take(entries)
  for _, entry in ipairs(entries) do
    if entry then answer[#answer + 1] = "event " .. entry[1] .. " " .. cjson.decode(entry[2][2]).id end
  end
end
local old = redis.call("XAUTOCLAIM", log, ARGV[1], ARGV[2], ARGV[3], "0", "COUNT", 10)
for _, id in ipairs(old[3] or {}) do answer[#answer + 1] = "gone " .. id end
take(old[2])
local last
for _, fields in ipairs(redis.call("XINFO", "GROUPS", log)) do
  local about = {}
  for n = 1, #fields, 2 do about[fields[n]] = fields[n + 1] end
  if about["name"] == ARGV[1] then last = about["last-delivered-id"] end
end
local read = redis.call("XREADGROUP", "GROUP", ARGV[1], ARGV[2], "COUNT", 10, "STREAMS", log, ">")
if read then
  local expected, first = tonumber(string.match(last, "%d+")) + 1, tonumber(string.match(read[1][2][1][1], "%d+"))
  if first > expected then answer[#answer + 1] = string.format("gap %.0f %.0f", expected, first - 1) end
  take(read[1][2])
end
answer[#answer + 1] = "place " .. last
return answer'

# The effect (a line in a list), the note that this event had it, and the acknowledgement: all or nothing.
finish='
if redis.call("SET", KEYS[2], 1, "NX", "EX", ARGV[3]) then redis.call("RPUSH", KEYS[3], ARGV[4]) end
return redis.call("XACK", KEYS[1], ARGV[1], ARGV[2])'

handle() { # <entry> <id>
  sleep "$work_s"
  cli EVAL "$finish" 3 "$log" "$own:done:$2" "$own:effects" "$group" "$1" "$remembered_s" "$name $2" >/dev/null
}

# The group's place went back together with the log, so there is nothing to do but for effects outside of Redis.
known=
notice_epoch() { # <epoch>
  [ "${known:-$1}" = "$1" ] ||
    say "EPOCH: now $1; Redis lost its newest events or may have; what changed is told again, under other sequences"
  known=$1
}

# Begins the group at the oldest event there is.
begin() {
  local floor answer
  floor=$(cli HGET "$meta" floor) || return 1
  [ -n "$floor" ] || { say "there is no feed $feed at $redis"; return 1; }
  answer=$(cli XGROUP CREATE "$log" "$group" "$floor-$end" MKSTREAM 2>&1) || [[ $answer == *BUSYGROUP* ]]
}

stopping=
trap 'stopping=yes' INT TERM
until begin || [ -n "$stopping" ]; do pause; done
say ready
while [ -z "$stopping" ]; do
  if ! taken=$(cli EVAL "$take" 2 "$log" "$meta" "$group" "$name" "$idle_ms"); then
    # A Redis that restarts or fails over; where it has forgotten the group, it is begun again.
    say "${taken:-no answer}"
    pause
    begin || true
    continue
  fi
  busy= place=0-0
  while read -r what first rest; do
    case $what in
      event) busy=yes; handle "$first" "$rest" || say "event $first is left for later" ;;
      gone) say "LOST: event $first was removed from the log before anybody had dealt with it" ;;
      gap) say "LOST: retention removed events $first to $rest before they were read" ;;
      epoch) notice_epoch "$first" ;;
      place) place=$first ;;
    esac
  done <<<"$taken"
  [ -n "$busy" ] || cli XREAD COUNT 1 BLOCK 1000 STREAMS "$log" "$place" >/dev/null || pause
done

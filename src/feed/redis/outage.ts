import type { OutageChange } from "../log.ts";
import { appendArguments, seenArguments, type CommitContext, type Seen } from "./commit.ts";
import { APPEND } from "./commit-script.ts";
import type { Reply } from "./reply.ts";
import { script } from "./scripts.ts";

/**
 * Appends the event with which an outage begins or ends, where nobody did so before.
 *
 * ARGV: the outage as it was and as it will be, '' for none; now or '', "1" for a stream per resource, what the writer
 * saw (epoch, sequence, stamp); then what APPEND reads.
 * Answers ["lost"] where the log lost what was seen; [] where the outage is another than it was; else [epoch, sequence,
 * stamp of the event].
 */
export const TELL_OUTAGE = script(`
${APPEND}
local here = place()
if not here or lostItsTail(here, ARGV[5], tonumber(ARGV[6]), ARGV[7]) then return { 'lost' } end
if (redis.call('HGET', META, 'outage') or '') ~= ARGV[1] then return {} end
position = 8
local at = math.max(here.at, timeOr(ARGV[3]))
local _, bytes, sequence = append(here.epoch, here.sequence, at, ARGV[4] == '1', false)
redis.call('HSET', META, 'sequence', text(sequence), 'bytes', text(here.bytes + bytes), 'at', text(at), 'outage', ARGV[2])
return { here.epoch, text(sequence), stampOf(entryAt(sequence)) }
`);

export function outageArguments(
  { from, to, event }: OutageChange,
  { nowMs, seen, streamPerResource }: Pick<CommitContext, "nowMs" | "seen" | "streamPerResource">,
): (string | number | Buffer)[] {
  const how = [from ?? "", to ?? "", nowMs, streamPerResource ? "1" : ""];
  return [...how, ...seenArguments(seen), ...appendArguments([event])];
}

/** The event as the newest that is known; undefined where another process was first. */
export function readOutageReply(reply: Reply): Seen | "lost" | undefined {
  if (reply.length === 0) return undefined;
  const epoch = reply.text(0, "epoch");
  if (epoch === "lost") return "lost";
  return { epoch, sequence: reply.integer(1, "sequence"), stamp: reply.text(2, "stamp") };
}

import { ChangefeedError } from "../../schemas/errors.ts";
import { LogFull, LogUnavailable, LogUnusable } from "../errors.ts";
import type { Location } from "./location.ts";

/** What Redis may answer for a while: it restarts, fails over, moves slots, is busy, or cannot write its files. */
const PASSING = new Set([
  "ASK",
  "BUSY",
  "CLUSTERDOWN",
  "LOADING",
  "MASTERDOWN",
  "MISCONF",
  "NOREPLICAS",
  "READONLY",
  "TRYAGAIN",
  "UNBLOCKED",
]);
const UNKNOWN_TO_IT = new Set(["NOAUTH", "WRONGPASS"]);

/** Whether Redis itself answered with an error. */
export function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/** What Redis answered. Before 7.0 it puts words of its own around the answer to a command in a script. */
export function answerOf({ message }: Error): string {
  return /^ERR Error running script .*: -([A-Z]+ .*)$/s.exec(message)?.[1] ?? message;
}

/** Whether a server there may take the same command later: memory may be freed, a failover ends, a slot has moved. */
export function mayPass(error: Error, { kind }: Pick<Location, "kind">): boolean {
  const [word = ""] = answerOf(error).split(" ");
  return word === "OOM" || isPassing(word, kind);
}

function isPassing(word: string, kind: Location["kind"]): boolean {
  return PASSING.has(word) || (word === "MOVED" && kind === "cluster");
}

/** Whether Redis does not take our user and password, or misses them. */
export function isLockedOut(error: unknown): boolean {
  if (!isReplyError(error)) return false;
  const said = answerOf(error);
  return UNKNOWN_TO_IT.has(said.split(" ")[0] ?? "") || said.includes("invalid username-password");
}

/**
 * The feed's error for what went wrong with the log there; errors of our own come back as they are. To be locked out
 * passes where we were let in before: a password is being changed, and perhaps back.
 */
export function translate(
  error: unknown,
  { where, kind }: Pick<Location, "where" | "kind">,
  wasLetIn = false,
): Error {
  if (error instanceof ChangefeedError) return error;
  const cause = error;
  const said = wordsOf(error);
  if (!isReplyError(error)) {
    return new LogUnavailable(`Redis at ${where} cannot be reached: ${said}`, {
      hint: "Check the address of --feed and that Redis runs",
      cause,
    });
  }
  const [word = ""] = said.split(" ");
  if (word === "OOM") {
    return new LogFull(`Redis at ${where} has no memory left for the log: ${said}`, {
      hint: "Raise its maxmemory, or keep fewer events with --retention-bytes",
      cause,
    });
  }
  if (isPassing(word, kind)) {
    return new LogUnavailable(`Redis at ${where} does not take commands now: ${said}`, { cause });
  }
  if (said.includes("appendonly is disabled")) {
    return new LogUnavailable(`Redis at ${where} cannot force the commit to its disk: ${said}`, {
      hint: "Set appendonly yes on every server that may become master, or use --redis-durability async",
      cause,
    });
  }
  if (isLockedOut(error) && wasLetIn) return new LogUnavailable(...refusal(where, said, cause));
  if (isLockedOut(error) || word === "NOPERM") return new LogUnusable(...refusal(where, said, cause));
  return new LogUnusable(`Redis at ${where} refused a command: ${said}`, {
    hint: hintFor(word, said),
    cause,
  });
}

function hintFor(word: string, said: string): string {
  if (word === "MOVED") return "This Redis is a node of a cluster: write the address as redis+cluster://";
  if (said.includes("cluster support disabled")) {
    return "This Redis is no node of a cluster: write the address as redis://";
  }
  if (/unknown (sub)?command/i.test(said)) {
    return "redis+sentinel:// needs the addresses of Sentinels, redis:// and redis+cluster:// those of servers; or a command was disabled";
  }
  return "The feed's keys may have been changed by another program, or a command it needs may be disabled";
}

/** A host with several addresses fails with an error for each, and no message of its own. */
function wordsOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(wordsOf).join("; ");
  return error instanceof Error ? answerOf(error) : String(error);
}

export const REFUSAL_HINT =
  "Put the user and the password in the address: redis://user:password@host:6379 (of Sentinels: sentinelUser=, sentinelPassword=); docs/redis-log.md lists the commands the user needs";

function refusal(where: string, said: string, cause: unknown) {
  return [`Redis at ${where} refuses access: ${said}`, { hint: REFUSAL_HINT, cause }] as const;
}

/** The feed that was there is not any more. */
export function damaged(where: string, what: string): LogUnusable {
  return new LogUnusable(`The log at ${where} is damaged: ${what}`, {
    hint: "Another program changed its keys, see redis-cli; nothing was changed. Restore Redis from a backup, or begin a new feed with ?feed=name",
  });
}

/** Something answers that does not speak as Redis does. */
export function strangeAnswer(where: string, what: string): LogUnusable {
  return new LogUnusable(`Redis at ${where} does not answer as Redis does: ${what}`, {
    hint: "Check the address, and what proxies between do",
  });
}

export function feedIsGone(where: string): LogUnavailable {
  return new LogUnavailable(`There is no feed at ${where} any more`, {
    hint: "Its keys were deleted, or Redis restarted without its data. A running bridge notices within seconds and begins the feed anew",
  });
}

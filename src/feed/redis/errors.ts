import { ChangefeedError } from "../../schemas/errors.ts";
import { LogFull, LogUnavailable, LogUnusable } from "../errors.ts";

/** What Redis may answer for a while: it restarts, fails over, is busy, or cannot write its files. */
const PASSING = new Set([
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
const REFUSED = new Set(["NOAUTH", "WRONGPASS", "NOPERM"]);

/** Whether Redis itself answered with an error. */
export function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/** The feed's error for what went wrong with the log at `where`; errors of our own come back as they are. */
export function translate(error: unknown, where: string): Error {
  if (error instanceof ChangefeedError) return error;
  const cause = error;
  const said = error instanceof Error ? error.message : String(error);
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
  if (PASSING.has(word)) {
    return new LogUnavailable(`Redis at ${where} does not take commands now: ${said}`, { cause });
  }
  if (REFUSED.has(word) || said.includes("invalid username-password")) return refused(where, said, cause);
  return new LogUnusable(`Redis at ${where} refused a command: ${said}`, {
    hint: "The feed's keys may have been changed by another program, or a command it needs may be disabled",
    cause,
  });
}

function refused(where: string, said: string, cause: unknown): LogUnusable {
  return new LogUnusable(`Redis at ${where} does not let us in: ${said}`, {
    hint: "Put the user and the password in the address: redis://user:password@host:6379; docs/redis-log.md lists the commands the user needs",
    cause,
  });
}

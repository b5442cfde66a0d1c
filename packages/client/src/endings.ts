import type { Ending } from "./connection.ts";
import { StreamRefused, type ServerError } from "./errors.ts";

/** `soon`: the server is or will be there; `later`: it has trouble, or enough of us. */
export type Pace = "now" | "soon" | "later";

/** What to do after a connection ended. */
export type Verdict =
  | { readonly kind: "done" }
  | { readonly kind: "refused"; readonly error: StreamRefused }
  /** The cursor is no place in this log, or no longer; `error` says so to whoever does not go on. */
  | {
      readonly kind: "lost";
      readonly reason: "expired" | "epoch-changed";
      readonly error: StreamRefused;
    }
  | {
      readonly kind: "again";
      readonly pace: Pace;
      readonly why: string;
      readonly unreachable: boolean;
      readonly atLeastMs: number;
    };

/** PROTOCOL.md section 7. Close codes from 4400 are HTTP statuses plus 4000. */
const REASONS: Readonly<Record<number, string>> = {
  400: "INVALID_PARAMETER",
  401: "UNAUTHORIZED",
  403: "FORBIDDEN",
  409: "EPOCH_CHANGED",
  410: "CURSOR_EXPIRED",
  412: "FUTURE_CURSOR",
};
const SOON = [1001, 1005, 1006, 1012, 4408];
/** The close frame got lost, or there is none in this kind of stream. */
const NO_CLOSE_FRAME = [1005, 1006];
const TOO_MANY = 429;
const TIMEOUT = 408;

/** @param serverError from the error frame before the end of a stream. */
export function verdictOf(ending: Ending, serverError: ServerError, url: string): Verdict {
  switch (ending.kind) {
    case "aborted":
      return { kind: "done" };
    case "not-a-feed":
      return { kind: "refused", error: notAFeed(url) };
    case "several-feeds":
      return { kind: "refused", error: severalFeeds(url) };
    case "overrun":
      return again("now", "events came faster than they were taken");
    case "refused": {
      const { status, retryAfterMs } = ending;
      const answered = `${url} answered ${status}`;
      const problem = parseProblem(ending.body);
      if (status >= 500 || status === TOO_MANY || status === TIMEOUT)
        return { ...again("later", problem.message ?? answered), atLeastMs: retryAfterMs };
      return final(status, problem, answered);
    }
    case "closed": {
      const { opened, problem, isUntrusted } = ending;
      if (isUntrusted && !opened) return untrusted(url, problem);
      const code = (NO_CLOSE_FRAME.includes(ending.code) ? serverError.closeCode : undefined) ?? ending.code;
      if (code === 1000) return { kind: "done" };
      const status = code - 4000;
      if (status >= 400 && status < 500 && status !== TOO_MANY && status !== TIMEOUT)
        return final(status, serverError, `${url} closed the stream with ${code}`);
      const why = serverError.message ?? problem ?? `connection closed (${code})`;
      return { ...again(SOON.includes(code) ? "soon" : "later", why), unreachable: !opened };
    }
    default:
      return ending satisfies never;
  }
}

/**
 * What else may answer at the address of a feed that was there a moment ago: a balancer, while the feed is deployed
 * anew, or a certificate that is about to be renewed. It is trouble that passes.
 */
export function passing({ kind, error }: Extract<Verdict, { kind: "refused" }>): Verdict {
  const passes = error.reason === "NOT_A_FEED" || error.reason === "TLS_FAILED";
  return passes ? again("later", error.message) : { kind, error };
}

/** Waiting makes no certificate trusted. */
function untrusted(url: string, problem: string | undefined): Verdict {
  const serverError = {
    message: `${url} cannot be trusted: ${problem ?? "TLS failed"}`,
    hint: "Name the authority that signed its certificate, with --ca-cert or in Node's NODE_EXTRA_CA_CERTS",
  };
  return { kind: "refused", error: new StreamRefused("TLS_FAILED", serverError, serverError.message) };
}

/** Something else than a feed speaks there. */
function notAFeed(url: string): StreamRefused {
  return new StreamRefused("NOT_A_FEED", {}, `${url} answers, but not with a feed`);
}

function severalFeeds(url: string): StreamRefused {
  const message = `${url} has several feeds, and this client follows one`;
  const hint = "Give it the address of one, which ends in /v1/feeds/<name>";
  return new StreamRefused("NOT_A_FEED", { message, hint }, message);
}

function final(status: number, serverError: ServerError, otherwise: string): Verdict {
  const reason = serverError.code ?? REASONS[status] ?? "NOT_A_FEED";
  const error = new StreamRefused(reason, serverError, otherwise);
  // A proxy's 409 or 410 says nothing about a cursor.
  if (error.reason === "CURSOR_EXPIRED") return { kind: "lost", reason: "expired", error };
  if (error.reason === "EPOCH_CHANGED") return { kind: "lost", reason: "epoch-changed", error };
  return { kind: "refused", error };
}

function again(pace: Pace, why: string): Extract<Verdict, { kind: "again" }> {
  return { kind: "again", pace, why, unreachable: false, atLeastMs: 0 };
}

function parseProblem(body: string): ServerError {
  try {
    const problem: unknown = JSON.parse(body);
    return typeof problem === "object" && problem !== null ? problem : {};
  } catch {
    return {};
  }
}

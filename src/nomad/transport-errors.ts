import { BodyDamaged, BodyTooLarge } from "./body.ts";
import { NomadError, type NomadErrorCode } from "./errors.ts";
import { DeadlinePassed, ExchangeFailed, type Phase } from "./exchange.ts";

interface Meaning {
  readonly code: NomadErrorCode;
  readonly retryable: boolean;
  readonly says: string;
  readonly hint: string;
}

/** A connection that is reset this soon may have met the connection limit: a Nomad beyond it does not always say so. */
const AT_ONCE_MS = 1_000;

const LISTENING = "Check that the agent runs and that NOMAD_ADDR is its HTTP address and port";

/** Codes of failed connections, by what the operator can do about them. */
const BY_CODE: ReadonlyMap<string, { says: string; hint: string }> = new Map(
  Object.entries({
    ECONNREFUSED: { says: "nothing listens there", hint: LISTENING },
    ENOENT: {
      says: "the socket does not exist",
      hint: "Check the path after unix://, and that the agent runs",
    },
    EACCES: { says: "the socket may not be used", hint: "Let this process's user read and write the socket" },
    ENOTFOUND: {
      says: "the host name is unknown",
      hint: "Check the host in NOMAD_ADDR and the machine's DNS",
    },
    EAI_AGAIN: { says: "the host name could not be looked up", hint: "Check the machine's DNS" },
    UND_ERR_CONNECT_TIMEOUT: {
      says: "it does not answer",
      hint: "Check the address, routes and firewalls between",
    },
    ETIMEDOUT: { says: "it does not answer", hint: "Check the address, routes and firewalls between" },
    EHOSTUNREACH: {
      says: "there is no way to the host",
      hint: "Check the address, routes and firewalls between",
    },
    ENETUNREACH: {
      says: "there is no way to the network",
      hint: "Check the address, routes and firewalls between",
    },
    EMFILE: {
      says: "this process has too many open files",
      hint: "Raise the limit of open files (ulimit -n)",
    },
  }),
);

const RESET = new Set(["ECONNRESET", "EPIPE"]);

/** The error that a failed exchange (or a damaged body) stands for; `what` is as in `Asked`. */
export function transportError(what: string, address: string, failure: unknown): NomadError {
  const meaning = meaningOf(failure);
  return new NomadError(meaning.code, `${what} at ${address} failed: ${meaning.says}`, {
    retryable: meaning.retryable,
    hint: meaning.hint,
    cause: causeOf(failure),
    ...(failure instanceof ExchangeFailed && failure.phase === "waiting" && { heldMs: failure.afterMs }),
  });
}

/** The parser's error carries the bytes it could not read: they do not belong in a log. */
function causeOf(failure: unknown): unknown {
  const cause = failure instanceof ExchangeFailed ? failure.cause : failure;
  return isParserError(cause) ? undefined : cause;
}

function meaningOf(failure: unknown): Meaning {
  const [phase, afterMs, cause] =
    failure instanceof ExchangeFailed
      ? [failure.phase, failure.afterMs, failure.cause]
      : (["reading", 0, failure] as const);
  const code = codeOf(cause);
  return (
    bodyMeaning(cause) ??
    timeoutMeaning(cause, code, phase) ??
    tlsMeaning(cause, code) ??
    connectionMeaning(code, phase, afterMs)
  );
}

function bodyMeaning(cause: unknown): Meaning | undefined {
  if (cause instanceof BodyTooLarge) {
    return {
      code: "NOMAD_BAD_RESPONSE",
      retryable: false,
      says: cause.message,
      hint: "Raise maxBodyBytes if the list is really that large",
    };
  }
  const code = codeOf(cause);
  if (!(cause instanceof BodyDamaged) && !isParserError(cause) && !NOT_HTTP.has(code)) return undefined;
  return {
    code: "NOMAD_BAD_RESPONSE",
    retryable: true,
    says: textOf(cause),
    hint: "The answer was cut off or changed on its way: look at proxies between, and that the address is of Nomad's HTTP API",
  };
}

function isParserError(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "HTTPParserError";
}

const NOT_HTTP = new Set(["UND_ERR_RES_CONTENT_LENGTH_MISMATCH", "UND_ERR_HEADERS_OVERFLOW"]);

function timeoutMeaning(cause: unknown, code: string, phase: Phase): Meaning | undefined {
  const timedOut =
    cause instanceof DeadlinePassed || code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT";
  if (!timedOut) return undefined;
  const missing = phase === "reading" ? "the body did not end" : "no answer came";
  return {
    code: "NOMAD_TIMEOUT",
    retryable: true,
    says: code === "UND_ERR_BODY_TIMEOUT" ? "the body stood still" : `${missing}, ${textOf(cause)}`,
    hint: "The agent is overloaded, has lost its servers, or a proxy between holds the answer back",
  };
}

function tlsMeaning(cause: unknown, code: string): Meaning | undefined {
  const tls =
    /^(ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA|HOSTNAME_MISMATCH|EPROTO)/.test(
      code,
    );
  if (!tls) return undefined;
  return {
    code: "NOMAD_TLS",
    retryable: false,
    says: `${textOf(cause).trim()} (${code})`,
    hint: tlsHint(code, textOf(cause)),
  };
}

function tlsHint(code: string, text: string): string {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return "Nomad's certificates are made out to server.<region>.nomad: set NOMAD_TLS_SERVER_NAME to that";
  }
  if (/EXPIRED|NOT_YET_VALID/.test(code))
    return "A certificate is out of date: renew it, or set the clock right";
  if (/^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA)/.test(code)) {
    return "Set NOMAD_CACERT or NOMAD_CAPATH to the authority that signed Nomad's certificate";
  }
  if (/WRONG_VERSION_NUMBER|wrong version number|packet length too long/i.test(`${code} ${text}`)) {
    return "The agent speaks no TLS on this port: begin its address with http://";
  }
  if (/ALERT|alert/.test(`${code} ${text}`)) {
    return "Nomad refused the handshake: where verify_https_client is set, it wants NOMAD_CLIENT_CERT and NOMAD_CLIENT_KEY signed by its authority";
  }
  return "Check Nomad's tls block against NOMAD_CACERT, NOMAD_CLIENT_CERT and NOMAD_TLS_SERVER_NAME; TLS 1.2 is the least";
}

function connectionMeaning(code: string, phase: Phase, afterMs: number): Meaning {
  const known = BY_CODE.get(code) ?? lost(code, phase, afterMs);
  return { code: "NOMAD_UNREACHABLE", retryable: true, ...known };
}

function lost(code: string, phase: Phase, afterMs: number): { says: string; hint: string } {
  if (RESET.has(code) && phase !== "reading" && afterMs < AT_ONCE_MS) {
    return {
      says: "the connection was reset at once",
      hint: "The agent or a proxy is stopping; where other connections are answered, it may be Nomad's limits.http_max_conns_per_client (100 from one address by default): raise it, or lower --max-connections",
    };
  }
  return {
    says:
      phase === "connecting" ? `no connection (${code})` : `the connection was lost while ${phase} (${code})`,
    hint: "The agent or something between stopped; if it lasts, look at the agent's log and at proxies",
  };
}

/** The error's code; a connection tried over several addresses fails with all their errors in one. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  if ("code" in error && typeof error.code === "string") return error.code;
  return error instanceof AggregateError ? codeOf(error.errors[0]) : error.name;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

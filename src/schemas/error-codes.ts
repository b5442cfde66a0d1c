export interface PublicText {
  readonly message: string;
  readonly hint?: string;
}

/** What all errors of one code have in common. */
interface ErrorFacts {
  /** Of the answer to a request, where clients are told of such errors as such: PROTOCOL.md section 7 lists them. */
  readonly status?: number;
  /** Of a WebSocket, where there is a status. */
  readonly closeCode?: number;
  /** Of a command; 1 where there is none. */
  readonly exit?: number;
  /**
   * Whether the same call may succeed later without anybody changing anything. "depends": each error says it itself.
   */
  readonly retryable?: true | "depends";
  /** What a client got wrong, and nothing about who may do what: the server's log has it at level debug alone. */
  readonly isMistake?: true;
  /**
   * What everybody may read in place of the error's own words, which name addresses, files and users. Without: where
   * there is a status, the error speaks of what was asked for, in its own words; elsewhere the server failed.
   */
  readonly words?: PublicText;
  /** What happened, for docs/errors.md, and for who reads the class with this code. */
  readonly means: string;
}

const LATER = "Try again later with your last cursor";
const NOMADS: PublicText = { message: "Nomad does not answer as it should" };
const UNREADABLE: PublicText = { message: "Nomad's answer cannot be read" };

/** Of a mistake in the command itself. */
const USAGE = 2;
/** Of an audit trail or a proof that does not verify. */
const UNVERIFIED = 3;

/** Every code that an error can have: the one place that says what follows from it. */
export const ERROR_CODES = {
  // What a request or a stream ends with.
  INTERNAL: {
    status: 500,
    closeCode: 1011,
    words: { message: "The server failed", hint: LATER },
    means: "A defect of the server. Its log has the details.",
  },
  GOING_AWAY: {
    retryable: true,
    status: 503,
    closeCode: 1001,
    means: "The server stops; another one, or this one later, goes on from the subscriber's cursor.",
  },
  RESTARTING: {
    retryable: true,
    status: 503,
    closeCode: 1012,
    means: "The server restarts and is back in a moment.",
  },
  INVALID_PARAMETER: {
    isMistake: true,
    status: 400,
    closeCode: 4400,
    exit: USAGE,
    means: "A parameter, or a value of one, that does not exist. `allowed` lists what does, or describes it.",
  },
  INVALID_FILTER: {
    isMistake: true,
    status: 400,
    closeCode: 4400,
    exit: USAGE,
    means: "A `filter` that cannot be read, or that could never mean anything. The message shows where.",
  },
  INVALID_MESSAGE: {
    status: 400,
    closeCode: 4400,
    means: "A WebSocket client sent something the protocol does not know.",
  },
  INVALID_ACK: {
    status: 400,
    closeCode: 4400,
    means: "A consumer acknowledged what it cannot have dealt with: it was not sent to it, or is no cursor.",
  },
  UNAUTHORIZED: {
    status: 401,
    closeCode: 4401,
    means: "Nobody is known by this token, its time is over, or there is none where one is needed.",
  },
  FORBIDDEN: {
    status: 403,
    closeCode: 4403,
    means: "A page of another site asks through its user's browser, or a token is known and may see nothing.",
  },
  CONSUMER_TAKEN: {
    status: 403,
    closeCode: 4403,
    means: "The consumer belongs to somebody else, or to nobody where only its owner may act.",
  },
  NOT_FOUND: { isMistake: true, status: 404, closeCode: 4400, means: "There is no such route." },
  NO_EVENT: {
    isMistake: true,
    status: 404,
    closeCode: 4400,
    means: "The log has no event with this cursor, or none that the token may see.",
  },
  NO_DATA: { isMistake: true, status: 404, closeCode: 4400, means: "An event has no `data` kept beside it." },
  NO_JOB: {
    isMistake: true,
    status: 404,
    closeCode: 4400,
    means: "There is no such job, or it is not for this token.",
  },
  NO_OBJECT: {
    isMistake: true,
    status: 404,
    closeCode: 4400,
    means: "Neither the log nor the state has the object, or whoever asks may not see it.",
  },
  NO_CONSUMER: { isMistake: true, status: 404, closeCode: 4400, means: "No consumer has this name." },
  NO_DELIVERY: {
    isMistake: true,
    status: 404,
    closeCode: 4400,
    means: "There is no delivery to a destination of this name.",
  },
  NOT_FOR_ALERTS: {
    isMistake: true,
    status: 422,
    closeCode: 4422,
    means:
      "A destination of alerts has no place in the log and no dead letters: nothing is replayed, sent once more or dropped.",
  },
  NO_SILENCE: {
    isMistake: true,
    status: 404,
    closeCode: 4400,
    means: "There is no silence with this id, or it has ended.",
  },
  NO_TRAIL: {
    isMistake: true,
    status: 404,
    closeCode: 4400,
    means:
      "There is no such audit trail here, or it does not have what was asked for: the message says which.",
  },
  TOO_MANY_SILENCES: {
    status: 422,
    closeCode: 4422,
    means: "There are as many silences as the log keeps. End one that nobody needs.",
  },
  RELOAD_REFUSED: {
    status: 422,
    closeCode: 4422,
    means:
      "A configuration file that cannot be used is not applied, no part of it; the former one goes on. Or there is none.",
  },
  METHOD_NOT_ALLOWED: {
    isMistake: true,
    status: 405,
    closeCode: 4400,
    means: "The route is there, and knows other methods.",
  },
  TOO_SLOW: {
    retryable: true,
    status: 503,
    closeCode: 4408,
    means: "The subscriber took nothing from its socket for so long that it counts as dead.",
  },
  EPOCH_CHANGED: {
    status: 409,
    closeCode: 4409,
    means: "The cursor was given by a history of this feed that ended.",
  },
  CURSOR_EXPIRED: { status: 410, closeCode: 4410, means: "Retention removed events after this cursor." },
  FUTURE_CURSOR: { status: 412, closeCode: 4412, means: "The cursor lies beyond the newest event." },
  URL_TOO_LONG: { status: 414, closeCode: 4400, means: "The URL is longer than any request needs." },
  TOO_COSTLY: {
    status: 422,
    closeCode: 4422,
    means: "Answering would cost more of the server's time than one request may have.",
  },
  ANSWER_TOO_LARGE: {
    status: 422,
    closeCode: 4422,
    means: "Nomad's answer to what was asked for has more bytes than are read of one.",
  },
  CANNOT_KEEP_UP: {
    status: 503,
    closeCode: 4423,
    means:
      "The subscriber's filters take longer than its share of the time, for so long that it falls ever further behind.",
  },
  UPGRADE_REQUIRED: {
    status: 426,
    closeCode: 4400,
    means: "A WebSocket was asked for, and what says so got lost on the way.",
  },
  LIMIT: {
    retryable: true,
    status: 429,
    closeCode: 4429,
    means: "Too many connections of one token or address, or too many requests of one address.",
  },
  CONSUMERS_FULL: {
    status: 429,
    closeCode: 4429,
    means: "There are as many names of consumers as there may be.",
  },
  AUTH_UNAVAILABLE: {
    retryable: true,
    status: 503,
    closeCode: 1013,
    words: { message: "Nomad cannot be asked what this token may see", hint: LATER },
    means: "Who a token belongs to cannot be asked right now: Nomad is away.",
  },
  UPSTREAM_UNAVAILABLE: {
    retryable: true,
    status: 503,
    closeCode: 1013,
    means:
      "What was asked for is read from Nomad, which cannot be reached, or does not answer it to the feed's token.",
  },
  LOG_UNAVAILABLE: {
    retryable: true,
    status: 503,
    closeCode: 1013,
    words: { message: "The log cannot be used right now", hint: LATER },
    means: "The log could not be reached or used right now.",
  },

  // The log, and those who write it.
  LOG_FULL: {
    retryable: true,
    words: { message: "The log has no room right now", hint: LATER },
    means: "No room to write. Nothing was written; the same commit succeeds when there is room again.",
  },
  LOG_IN_USE: { means: "Another process writes this log." },
  LOG_UNUSABLE: {
    words: { message: "The log cannot be used until the operator has looked at it", hint: LATER },
    means: "The file or database is not a log of ours, is damaged, or is of a version we do not know.",
  },
  EVENTS_MISSING: {
    means:
      "Events after the cursor are gone, and not by retention: another program took them out of the log.",
  },
  FENCED: {
    means:
      "Another worker claimed the scope or the document after this one, or changed it; this one stops writing it.",
  },
  CONFLICT: {
    means:
      "The scope's rev is not what its writer expected: it claims the scope again and reads everything again.",
  },
  DEAD_LETTERS_FULL: {
    means:
      "A consumer has as many dead letters as it may have. Nothing was written; the event is still in the log.",
  },
  DOCUMENT_TOO_LARGE: { means: "A document beside the log may have 1 MiB. Nothing was written." },

  // Nomad's answers, and those that never came.
  NOMAD_UNREACHABLE: {
    retryable: "depends",
    words: { message: "Nomad cannot be reached" },
    means: "No connection to the agent: refused, reset, no route, no such host.",
  },
  NOMAD_TIMEOUT: {
    retryable: "depends",
    words: { message: "Nomad does not answer in time" },
    means: "The agent did not answer, or not to the end, in the time it may take.",
  },
  NOMAD_TLS: {
    retryable: "depends",
    words: { message: "Nomad cannot be reached: its certificate or ours is not accepted" },
    means: "The certificate, ours or the agent's, was not accepted, or one side speaks no TLS.",
  },
  NOMAD_BAD_REQUEST: {
    retryable: "depends",
    words: NOMADS,
    means: "Nomad does not understand the request (400).",
  },
  NOMAD_UNAUTHORIZED: {
    retryable: "depends",
    words: { message: "Nomad does not know the feed's token" },
    means: "Nomad, or a proxy before it, does not know the token or the credentials.",
  },
  NOMAD_FORBIDDEN: {
    retryable: "depends",
    words: { message: "Nomad refuses this to the feed's token" },
    means: "The token lacks the capability (403). The hint names it.",
  },
  NOMAD_TOKEN_EXPIRED: {
    retryable: "depends",
    words: { message: "The feed's token for Nomad has expired" },
    means: "The token's time is over.",
  },
  NOMAD_NOT_FOUND: {
    retryable: "depends",
    words: NOMADS,
    means: "There is no such object, or this version of Nomad has no such endpoint (404).",
  },
  NOMAD_METHOD_NOT_ALLOWED: {
    retryable: "depends",
    words: NOMADS,
    means: "Something between us and Nomad changed the request (405).",
  },
  NOMAD_RATE_LIMITED: {
    retryable: "depends",
    words: { message: "Nomad limits the feed's requests" },
    means: "A proxy before Nomad limits requests (429).",
  },
  NOMAD_TOO_MANY_CONNECTIONS: {
    retryable: "depends",
    words: { message: "Nomad limits the feed's connections" },
    means: "Nomad's limit of connections from one address is used up (429).",
  },
  NOMAD_NO_LEADER: {
    retryable: "depends",
    words: { message: "Nomad has no leader" },
    means: "The region has no leader at the moment, or the agent no servers.",
  },
  NOMAD_NO_REGION: {
    retryable: "depends",
    words: { message: "Nomad has no way to the feed's region" },
    means: "The agent knows no server in the region.",
  },
  NOMAD_SERVER_ERROR: {
    retryable: "depends",
    words: NOMADS,
    means: "The agent, its servers or a proxy failed (5xx).",
  },
  NOMAD_ENTERPRISE_ONLY: {
    retryable: "depends",
    words: NOMADS,
    means: "Nomad Community does not have this (501).",
  },
  NOMAD_UNEXPECTED_STATUS: {
    retryable: "depends",
    words: NOMADS,
    means: "An answer Nomad never gives: most likely another service has this address.",
  },
  NOMAD_BAD_RESPONSE: {
    retryable: "depends",
    words: UNREADABLE,
    means: "The body or a header is not what Nomad sends: broken off, no JSON, no index.",
  },
  NOMAD_STALE_RESPONSE: {
    retryable: "depends",
    words: { message: "Nomad answers from a server that is behind" },
    means: "The answering server was out of touch with the leader longer than allowed.",
  },
  NOMAD_STREAM_DENIED: {
    retryable: "depends",
    words: { message: "Nomad refuses its event stream to the feed's token" },
    means: "The event stream was answered 200 and never began: how Nomad 1.11.2 and later refuse one.",
  },
  NOMAD_STREAM_ENDED: {
    retryable: "depends",
    words: NOMADS,
    means: "Nomad ended the event stream. Another is opened, and lists are read meanwhile.",
  },
  NOMAD_IMPLAUSIBLE: {
    retryable: true,
    words: { message: "Nomad's answer is implausible: it lacks what was there before" },
    means: "Nomad's answers contradict each other, or hide objects; nothing of them is accepted.",
  },
  MALFORMED_LIST: {
    retryable: true,
    words: UNREADABLE,
    means: "A list body that is not one whole JSON array of keyed objects, each with a key of its own.",
  },

  // What whoever typed a command can put right in it.
  USAGE: { exit: USAGE, means: "A command was given arguments it cannot use." },
  CONFIG_INVALID: {
    exit: USAGE,
    means: "The configuration cannot be used; each problem has a line, naming the option and its source.",
  },
  SECRET_UNAVAILABLE: {
    means: "What stands behind `env:NAME` or `file:PATH` cannot be read. It is named, never shown.",
  },
  NOMAD_OPTION_INVALID: {
    exit: USAGE,
    means: "An option for Nomad cannot be used. The message says why and what is allowed.",
  },
  TOKENS_FILE_INVALID: {
    exit: USAGE,
    means:
      "The file of static tokens cannot be used; each problem has a line, naming the place and what is allowed.",
  },
  TLS_FILES_UNUSABLE: { exit: USAGE, means: "The certificate or key of the listener cannot be used." },
  INSECURE_LISTEN: {
    exit: USAGE,
    means: "Everybody who reaches the address could read the feed, and nobody said that this is meant.",
  },
  LISTEN_FAILED: { exit: USAGE, means: "The address cannot be listened on." },
  UNKNOWN_SCHEMA: { exit: USAGE, means: "There is no schema with this name." },
  SIMULATE_INVALID_OPTION: { exit: USAGE, means: "An option of `simulate` that cannot be used." },
  SIMULATOR_INVALID_FAULT: {
    exit: USAGE,
    means: "A fault that does not exist or a probability that is none.",
  },

  // The audit trail, and who verifies it.
  AUDIT_KEY_INVALID: { exit: USAGE, means: "A key for the audit trail cannot be used. It is never shown." },
  AUDIT_FORMAT_INVALID: {
    exit: UNVERIFIED,
    means: "A checkpoint, a proof, or a file of an audit trail is not what its standard says.",
  },
  AUDIT_SIGNATURE_INVALID: {
    exit: UNVERIFIED,
    means: "None of the known keys signed this checkpoint, or the signature of one is wrong.",
  },
  AUDIT_TRAIL_NOT_THERE: { means: "The directory of an audit trail is not there. The feed makes none." },
  AUDIT_TRAIL_DAMAGED: {
    means:
      "What is in an audit trail's directory is not what its last signed checkpoint says. It is not written to.",
  },
  AUDIT_TRAIL_IN_USE: { means: "Another process, or another destination, writes this audit trail." },
  AUDIT_TRAIL_OF_ANOTHER: { means: "An audit trail was signed with other keys, or is of another feed." },
  AUDIT_TRAIL_BEHIND: {
    means:
      "Events between the end of an audit trail and the next one were never entered, and nobody said that they are gone.",
  },
  AUDIT_ENTRY_TOO_LARGE: {
    means: "An event that, also without its data, is larger than an entry of an audit trail.",
  },
  AUDIT_BUCKET_UNREACHABLE: {
    means: "The store with an audit trail's bucket does not answer, or cannot at the moment.",
  },
  AUDIT_BUCKET_REFUSED: { means: "The store with an audit trail's bucket refuses what it is asked." },
  AUDIT_BUCKET_UNCONDITIONAL: {
    means:
      "The store with an audit trail's bucket has no conditional writes, and so cannot keep two writers apart.",
  },
  AUDIT_NOT_PROVED: {
    exit: UNVERIFIED,
    means: "A proof does not prove what it says, or an audit trail cannot prove what it is asked for.",
  },

  // The client, and the commands that are one.
  CLIENT_OPTION_INVALID: { exit: USAGE, means: "An option of the client that it cannot use." },
  STREAM_REFUSED: { means: "The server will not serve this stream, however often it is asked." },
  FEED_REFUSED: { means: "A running feed will not do what a command asked of it. The words are its own." },
  FEED_UNREACHABLE: {
    retryable: true,
    means: "Nobody answers for the feed at this address, or not as one would.",
  },
} as const satisfies Readonly<Record<string, ErrorFacts>>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Of a code that this version has; undefined for any other text. */
export function errorFacts(code: string): ErrorFacts | undefined {
  return Object.hasOwn(ERROR_CODES, code) ? ERROR_CODES[code as ErrorCode] : undefined;
}

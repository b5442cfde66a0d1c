import { CodedError } from "./coded-error.ts";

/** Why a stream was refused: the server's code, or one of the client's own. */
export type RefusalReason =
  | "INVALID_PARAMETER"
  | "UNAUTHORIZED"
  | "FORBIDDEN"
  | "EPOCH_CHANGED"
  | "CURSOR_EXPIRED"
  | "FUTURE_CURSOR"
  | "NOT_A_FEED"
  | "TLS_FAILED"
  | (string & {});

/** What a server said about a request or the end of a stream, as far as it said something. */
export interface ServerError {
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string | undefined;
  readonly field?: string;
  readonly allowed?: readonly string[];
  /** Of the WebSocket, before it closes; the end of another stream has no code. */
  readonly closeCode?: number | undefined;
}

/** The server will not serve this stream, however often it is asked. */
export class StreamRefused extends CodedError {
  readonly code = "STREAM_REFUSED";
  readonly retryable = false;
  readonly reason: RefusalReason;
  /** The parameter that is wrong, and what it may be, where one is. */
  readonly field: string | undefined;
  readonly allowed: readonly string[] | undefined;

  /** @param otherwise the message where the server gave none: then it may be no feed at all. */
  constructor(reason: RefusalReason, serverError: ServerError, otherwise: string) {
    const hint =
      serverError.message === undefined ? "Is this the address of a nomad-changefeed?" : serverError.hint;
    super(serverError.message ?? otherwise, hint === undefined ? {} : { hint });
    this.reason = reason;
    this.field = serverError.field;
    this.allowed = serverError.allowed;
  }
}

/** An option of the client that it cannot use. */
export class ClientOptionInvalid extends CodedError {
  readonly code = "CLIENT_OPTION_INVALID";
  readonly retryable = false;
}

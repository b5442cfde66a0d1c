import { ChangefeedError } from "../../schemas/errors.ts";

/** Nobody is known by this token, its time is over, or there is none where one is needed. */
export class Unauthorized extends ChangefeedError {
  readonly code = "UNAUTHORIZED";
  constructor(message: string, hint = "Send a valid token: Authorization: Bearer <token>") {
    super(message, { hint });
  }
}

/** Who a token belongs to cannot be asked right now: Nomad is away. */
export class AuthUnavailable extends ChangefeedError {
  readonly code = "AUTH_UNAVAILABLE";
  readonly retryAfterSeconds = 5;
  constructor(cause?: unknown) {
    super("Nomad cannot be asked what this token may see", {
      hint: "Try again in a moment with your last cursor",
      cause,
    });
  }
}

/** Too many connections of one token or address, or too many requests of one address. */
export class LimitReached extends ChangefeedError {
  readonly code = "LIMIT";
  readonly retryAfterSeconds: number;
  constructor(message: string, options: { retryAfterSeconds: number; hint: string }) {
    super(message, { hint: options.hint });
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** The URL is longer than any request needs. */
export class UrlTooLong extends ChangefeedError {
  readonly code = "URL_TOO_LONG";
  constructor(maxBytes: number) {
    super(`The URL is longer than ${maxBytes} bytes`, {
      hint: "Name fewer subjects, or leave filtering to your side",
    });
  }
}

/** The file of static tokens cannot be used; `problems` has a line each, naming the place and what is allowed there. */
export class TokensFileInvalid extends ChangefeedError {
  readonly code = "TOKENS_FILE_INVALID";
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join("\n"), { hint: "docs/access.md has an example of the file" });
    this.problems = problems;
  }
}

/** The certificate or key of the listener cannot be used. */
export class TlsFilesUnusable extends ChangefeedError {
  readonly code = "TLS_FILES_UNUSABLE";
  constructor(message: string, cause: unknown) {
    super(message, { hint: "--tls-cert, --tls-key and --tls-client-ca name PEM files", cause });
  }
}

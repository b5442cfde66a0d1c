import { ChangefeedError } from "../../schemas/errors.ts";

export class Unauthorized extends ChangefeedError {
  readonly code = "UNAUTHORIZED";
  constructor(message: string, hint = "Send a valid token: Authorization: Bearer <token>") {
    super(message, { hint });
  }
}

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

export class LimitReached extends ChangefeedError {
  readonly code = "LIMIT";
  readonly retryAfterSeconds: number;
  constructor(message: string, options: { retryAfterSeconds: number; hint: string }) {
    super(message, { hint: options.hint });
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

export class UrlTooLong extends ChangefeedError {
  readonly code = "URL_TOO_LONG";
  constructor(maxBytes: number) {
    super(`The URL is longer than ${maxBytes} bytes`, {
      hint: "Name fewer subjects, or leave filtering to your side",
    });
  }
}

export class TokensFileInvalid extends ChangefeedError {
  readonly code = "TOKENS_FILE_INVALID";
  /** A line each, naming the place and what is allowed there. */
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join("\n"), { hint: "docs/access.md has an example of the file" });
    this.problems = problems;
  }
}

export class TlsFilesUnusable extends ChangefeedError {
  readonly code = "TLS_FILES_UNUSABLE";
  constructor(message: string, cause: unknown) {
    super(message, { hint: "--tls-cert, --tls-key and --tls-client-ca name PEM files", cause });
  }
}

/**
 * Root of every error the project raises on purpose. `code` is stable and listed in docs/errors.md; `message`
 * says what happened, `hint` what the operator should do; neither ever holds a secret.
 */
export abstract class CodedError extends Error {
  abstract readonly code: string;
  /** Whether the same call may succeed later without anybody changing anything. */
  abstract readonly retryable: boolean;
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.hint = options.hint;
  }
}

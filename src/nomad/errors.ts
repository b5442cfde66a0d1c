import type { ErrorCode } from "../schemas/error-codes.ts";
import { ChangefeedError } from "../schemas/errors.ts";

/** Codes of requests that were not answered as they should be. */
export type NomadErrorCode = Exclude<
  Extract<ErrorCode, `NOMAD_${string}`>,
  "NOMAD_OPTION_INVALID" | "NOMAD_IMPLAUSIBLE"
>;

interface NomadErrorOptions {
  readonly retryable: boolean;
  readonly hint: string;
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly heldMs?: number;
  readonly cause?: unknown;
}

/** A request to Nomad that did not end in a usable answer. `message` names method, path and address. */
export class NomadError extends ChangefeedError {
  readonly code: NomadErrorCode;
  readonly #retryable: boolean;
  /** HTTP status, or undefined where no response came. */
  readonly status: number | undefined;
  /** Floor for the next try, from Retry-After, ms. */
  readonly retryAfterMs: number | undefined;
  /** From sending the request to its end, ms; undefined where none was sent, or its answer broke off. */
  readonly heldMs: number | undefined;

  constructor(code: NomadErrorCode, message: string, options: NomadErrorOptions) {
    super(message, { hint: options.hint, cause: options.cause });
    this.code = code;
    this.#retryable = options.retryable;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
    this.heldMs = options.heldMs;
  }

  override get retryable(): boolean {
    return this.#retryable;
  }
}

/** Statuses that say "not now", not "not you" or "not this". */
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * Whether something answered that this request is not allowed, or not known: Nomad, or a gateway that lets only some
 * paths through.
 */
export function isRefusal(error: unknown): error is NomadError {
  if (!(error instanceof NomadError) || error.code === "NOMAD_TLS") return false;
  const { status = 0 } = error;
  return status >= 400 && status < 500 && !PASSING_STATUSES.has(status);
}

export class NomadOptionInvalid extends ChangefeedError {
  readonly code = "NOMAD_OPTION_INVALID";
  /** Name of the field in RawNomadOptions. */
  readonly option: string;

  constructor(option: string, message: string, cause?: unknown) {
    super(message, { hint: `Correct the Nomad option ${option}`, cause });
    this.option = option;
  }
}

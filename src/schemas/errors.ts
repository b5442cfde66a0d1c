import { CodedError } from "../../packages/client/src/coded-error.ts";
import { errorFacts, type ErrorCode } from "./error-codes.ts";

/** Root of every error that the bridge raises on purpose. What follows from its code, the table of codes says. */
export abstract class ChangefeedError extends CodedError {
  abstract override readonly code: ErrorCode;

  get retryable(): boolean {
    return errorFacts(this.code)?.retryable === true;
  }
}

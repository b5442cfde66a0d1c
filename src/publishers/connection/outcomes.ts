import { ERROR_CODES, errorFacts } from "../../schemas/error-codes.ts";
import { ChangefeedError } from "../../schemas/errors.ts";

/** HTTP status where no stream has begun yet, and WebSocket close code where one has. */
export interface Outcome {
  readonly status: number;
  readonly closeCode: number;
}

/** What clients are told of by its own code, as PROTOCOL.md section 7 has it. */
export const OUTCOMES: ReadonlyMap<string, Outcome> = new Map(
  Object.entries(ERROR_CODES).flatMap(([code, facts]) =>
    "status" in facts ? [[code, { status: facts.status, closeCode: facts.closeCode }]] : [],
  ),
);

export const NORMAL_CLOSE_CODE = 1000;

export function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof ChangefeedError)) return ERROR_CODES.INTERNAL;
  return OUTCOMES.get(error.code) ?? (error.retryable ? ERROR_CODES.LOG_UNAVAILABLE : ERROR_CODES.INTERNAL);
}

/** Whether subscribers may read the error's own words: they are about what was asked for. */
export function speaksForItself(error: ChangefeedError): boolean {
  return OUTCOMES.has(error.code) && errorFacts(error.code)?.words === undefined;
}

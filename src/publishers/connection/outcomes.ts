import { ChangefeedError } from "../../schemas/errors.ts";

/** HTTP status where no stream has begun yet, and WebSocket close code where one has. */
export interface Outcome {
  readonly status: number;
  readonly closeCode: number;
}

/** The table of PROTOCOL.md section 7. */
export const OUTCOMES: Readonly<Record<string, Outcome>> = {
  GOING_AWAY: { status: 503, closeCode: 1001 },
  RESTARTING: { status: 503, closeCode: 1012 },
  INVALID_PARAMETER: { status: 400, closeCode: 4400 },
  INVALID_FILTER: { status: 400, closeCode: 4400 },
  INVALID_MESSAGE: { status: 400, closeCode: 4400 },
  INVALID_ACK: { status: 400, closeCode: 4400 },
  NOT_FOUND: { status: 404, closeCode: 4400 },
  METHOD_NOT_ALLOWED: { status: 405, closeCode: 4400 },
  UPGRADE_REQUIRED: { status: 426, closeCode: 4400 },
  NO_DATA: { status: 404, closeCode: 4400 },
  NO_CONSUMER: { status: 404, closeCode: 4400 },
  FORBIDDEN: { status: 403, closeCode: 4403 },
  CONSUMER_TAKEN: { status: 403, closeCode: 4403 },
  TOO_SLOW: { status: 503, closeCode: 4408 },
  CANNOT_KEEP_UP: { status: 503, closeCode: 4423 },
  TOO_COSTLY: { status: 422, closeCode: 4422 },
  EPOCH_CHANGED: { status: 409, closeCode: 4409 },
  CURSOR_EXPIRED: { status: 410, closeCode: 4410 },
  FUTURE_CURSOR: { status: 412, closeCode: 4412 },
  UNAUTHORIZED: { status: 401, closeCode: 4401 },
  URL_TOO_LONG: { status: 414, closeCode: 4400 },
  LIMIT: { status: 429, closeCode: 4429 },
  CONSUMERS_FULL: { status: 429, closeCode: 4429 },
};
const LATER: Outcome = { status: 503, closeCode: 1013 };
const DEFECT: Outcome = { status: 500, closeCode: 1011 };

export const NORMAL_CLOSE_CODE = 1000;

export function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof ChangefeedError)) return DEFECT;
  const known = Object.hasOwn(OUTCOMES, error.code) ? OUTCOMES[error.code] : undefined;
  return known ?? (error.retryable ? LATER : DEFECT);
}

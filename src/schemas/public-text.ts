import { ERROR_CODES, errorFacts, type PublicText } from "./error-codes.ts";
import { ChangefeedError } from "./errors.ts";

/** The one boundary between what the operator reads in the log and what goes to subscribers, whoever asks. */
export function publicText(error: unknown): PublicText {
  const facts = error instanceof ChangefeedError ? errorFacts(error.code) : undefined;
  return facts?.words ?? ERROR_CODES.INTERNAL.words;
}

/** Why something is as it is, for events and reports, with the code by which docs/errors.md tells more. */
export function publicReason(error: unknown): string {
  const { message } = publicText(error);
  return error instanceof ChangefeedError ? `${message} (${error.code})` : message;
}

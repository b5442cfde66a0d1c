import { ChangefeedError } from "../../schemas/errors.ts";

/** A command was given arguments it cannot use. */
export class UsageError extends ChangefeedError {
  readonly code = "USAGE";
}

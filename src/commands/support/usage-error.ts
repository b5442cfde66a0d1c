import { ChangefeedError } from "../../schemas/errors.ts";

export class UsageError extends ChangefeedError {
  readonly code = "USAGE";
}

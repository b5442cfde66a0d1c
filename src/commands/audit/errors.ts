import { ChangefeedError } from "../../schemas/errors.ts";

/** What was given does not prove what it should, or a trail cannot prove what it is asked for. */
export class NotProved extends ChangefeedError {
  readonly code = "AUDIT_NOT_PROVED";
}

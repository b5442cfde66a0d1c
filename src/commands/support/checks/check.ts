import { ChangefeedError } from "../../../schemas/errors.ts";
import { saidByFlag } from "../option-names.ts";

/** One finding of `doctor`. A hint says what to do about it. */
export interface Check {
  /** What was looked at: "nomad", "token", "rights: jobs", "log", "port". */
  readonly name: string;
  readonly status: "ok" | "warning" | "failure";
  readonly message: string;
  readonly hint?: string;
}

export function ok(name: string, message: string): Check {
  return { name, status: "ok", message };
}

export function warning(name: string, message: string, hint: string): Check {
  return { name, status: "warning", message, hint };
}

export function failure(name: string, message: string, hint?: string): Check {
  return { name, status: "failure", message, ...(hint === undefined ? {} : { hint }) };
}

/** What an error says, as a failed check. */
export function failureOf(name: string, error: unknown): Check {
  if (error instanceof ChangefeedError) {
    const { message, hint } = saidByFlag(error);
    return failure(name, message, hint);
  }
  return failure(name, error instanceof Error ? error.message : String(error));
}

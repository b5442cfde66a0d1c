import { ConfigInvalid } from "../../config/errors.ts";
import { NomadOptionInvalid } from "../../nomad/errors.ts";
import { ChangefeedError } from "../../schemas/errors.ts";
import { UnknownSchema } from "../../schemas/json-schema.ts";
import { InvalidParameter } from "../../schemas/subscription-schema.ts";
import type { Io } from "../io.ts";
import { coloursFor } from "./colours.ts";
import { UsageError } from "./usage-error.ts";

/** Errors of whoever typed the command. */
const USAGE_ERRORS = [ConfigInvalid, UsageError, InvalidParameter, NomadOptionInvalid, UnknownSchema];

export const EXIT_CODES = { ok: 0, failed: 1, usage: 2 } as const;

/** Tells the operator what went wrong, on stderr, and answers the exit code. */
export function reportError(error: unknown, io: Io): number {
  const colours = coloursFor(io);
  if (!(error instanceof ChangefeedError)) {
    const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
    io.stderr.write(`${colours.red("unexpected error:")} ${told}\n`);
    return EXIT_CODES.failed;
  }
  for (const line of error.message.split("\n")) io.stderr.write(`${colours.red("error:")} ${line}\n`);
  if (error instanceof InvalidParameter) io.stderr.write(`allowed: ${error.allowed.join(", ")}\n`);
  if (error.hint !== undefined) io.stderr.write(`${colours.dim("hint:")} ${error.hint}\n`);
  return USAGE_ERRORS.some((kind) => error instanceof kind) ? EXIT_CODES.usage : EXIT_CODES.failed;
}

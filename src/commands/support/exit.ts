import { ChangefeedError } from "../../schemas/errors.ts";
import { InvalidParameter } from "../../schemas/subscription-schema.ts";
import type { Io } from "../io.ts";
import { coloursFor } from "./colours.ts";

export const EXIT_CODES = { ok: 0, failed: 1, usage: 2 } as const;

/** Codes of what whoever typed the command can put right in it. */
const USAGE_CODES = [
  "USAGE",
  "CONFIG_INVALID",
  "INVALID_PARAMETER",
  "INVALID_FILTER",
  "NOMAD_OPTION_INVALID",
  "UNKNOWN_SCHEMA",
  "SIMULATE_INVALID_OPTION",
  "SIMULATOR_INVALID_FAULT",
];

/** Tells the operator what went wrong, on stderr, and answers the exit code. */
export function reportError(error: unknown, io: Io): number {
  const colours = coloursFor(io);
  const say = (text: string) => io.stderr.write(`${colours.red("error:")} ${text}\n`);
  if (!(error instanceof ChangefeedError)) {
    // What the system refuses needs no stack, a defect of ours does.
    if (error instanceof Error) say("syscall" in error ? error.message : (error.stack ?? error.message));
    else say(String(error));
    return EXIT_CODES.failed;
  }
  error.message.split("\n").forEach(say);
  if (error instanceof InvalidParameter) io.stderr.write(`allowed: ${error.allowed.join(", ")}\n`);
  if (error.hint !== undefined) io.stderr.write(`${colours.dim("hint:")} ${error.hint}\n`);
  return USAGE_CODES.includes(error.code) ? EXIT_CODES.usage : EXIT_CODES.failed;
}

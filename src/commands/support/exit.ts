import { CodedError } from "../../../packages/client/src/coded-error.ts";
import { hideSecretsIn } from "../../schemas/address-text.ts";
import { InvalidFilter } from "../../publishers/selection/filter-expression.ts";
import { errorFacts } from "../../schemas/error-codes.ts";
import { plainLines, plainText } from "../../schemas/terminal-text.ts";
import type { Io } from "../io.ts";
import { stderrColoursFor } from "./colours.ts";
import { saidByFlag } from "./option-names.ts";
import { wrapText } from "./wrap-text.ts";

/** `timeout` as that of GNU coreutils; `unverified`: what an audit trail holds is not what its checkpoint says. */
export const EXIT_CODES = { ok: 0, failed: 1, usage: 2, unverified: 3, timeout: 124 } as const;

/** Tells the operator what went wrong, on stderr, and answers the exit code. */
export function reportError(error: unknown, io: Io): number {
  const colours = stderrColoursFor(io);
  const columns = io.stderrIsTTY ? io.columns() : undefined;
  const say = (text: string, safe = plainText) =>
    io.stderr.write(`${colours.red("error:")} ${safe(hideSecretsIn(text))}\n`);
  // Later lines below the text, not below its label.
  const wrapped = (text: string, label: string) =>
    wrapText(plainText(hideSecretsIn(text)), { columns, indent: label.length + 1 });
  if (!(error instanceof CodedError)) {
    // What the system refuses needs no stack, a defect of ours does.
    if (error instanceof Error)
      say("syscall" in error ? error.message : (error.stack ?? error.message), plainLines);
    else say(String(error));
    return EXIT_CODES.failed;
  }
  for (const problem of problemsOf(error)) {
    // A mark stands below its place in an expression.
    say(error instanceof InvalidFilter ? problem : wrapped(problem, "error:"), plainLines);
  }
  const allowed = allowedBy(error);
  if (allowed.length > 0) io.stderr.write(`allowed: ${wrapped(allowed.join(", "), "allowed:")}\n`);
  const { hint } = saidByFlag(error);
  if (hint !== undefined) io.stderr.write(`${colours.dim("hint:")} ${wrapped(hint, "hint:")}\n`);
  return errorFacts(error.code)?.exit ?? EXIT_CODES.failed;
}

/** What may stand where something else does, by this program or the feed that it asked. */
function allowedBy(error: CodedError): readonly string[] {
  const { allowed } = error as { allowed?: unknown };
  return Array.isArray(allowed) ? allowed.map(String) : [];
}

/** What is wrong, a line each; a line break anywhere else comes from outside. */
function problemsOf(error: CodedError): readonly string[] {
  const { problems } = error as { problems?: unknown };
  if (Array.isArray(problems)) return problems.map(String);
  const { message } = saidByFlag(error);
  // The expression as it was typed, and a mark below where it is wrong.
  return error instanceof InvalidFilter ? message.split("\n") : [message];
}

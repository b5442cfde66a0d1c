import type { Config } from "../config/config.ts";
import { resolveConfig, type ResolvedConfig } from "../config/resolve.ts";
import type { Given } from "../config/sources.ts";
import { hideSecretsIn } from "../schemas/address-text.ts";
import { plainText, terminalJson } from "../schemas/terminal-text.ts";
import type { Io } from "./io.ts";
import type { Check } from "./support/checks/check.ts";
import { checkHere } from "./support/checks/local-checks.ts";
import { checkNomad } from "./support/checks/nomad-checks.ts";
import { coloursFor, type Colours } from "./support/colours.ts";
import { EXIT_CODES } from "./support/exit.ts";
import { wrapText } from "./support/wrap-text.ts";

/** Checks what the feed needs and prints a line for each, with what to do. Answers 1 where something fails. */
export async function doctor(options: { given: Given; json: boolean }, io: Io): Promise<number> {
  const resolved = resolveConfig(options.given);
  const colours = coloursFor(io);
  const checks: Check[] = [];
  for await (const found of checksOf(resolved, io)) {
    const check = withoutSecrets(found);
    checks.push(check);
    if (!options.json) io.stdout.write(checkText(check, colours, io.columns()));
  }
  if (options.json) io.stdout.write(`${terminalJson(JSON.stringify(checks, null, 2))}\n`);
  return checks.some(({ status }) => status === "failure") ? EXIT_CODES.failed : EXIT_CODES.ok;
}

/** Of several feeds each check names its own. */
async function* checksOf({ config, feeds }: ResolvedConfig, io: Io): AsyncGenerator<Check> {
  if (feeds === undefined) yield* allChecks(config, io);
  for (const feed of feeds ?? []) {
    for await (const check of allChecks(feed.config, io)) {
      yield { ...check, name: `${feed.name}: ${check.name}` };
    }
  }
}

async function* allChecks(config: Config, io: Io): AsyncGenerator<Check> {
  const region = yield* checkNomad(config, io);
  yield* checkHere(config, { region, clock: io.clock });
}

function withoutSecrets({ message, hint, ...check }: Check): Check {
  return {
    ...check,
    message: hideSecretsIn(message),
    ...(hint !== undefined && { hint: hideSecretsIn(hint) }),
  };
}

function checkText(
  { name, status, message, hint }: Check,
  colours: Colours,
  columns: number | undefined,
): string {
  const mark = { ok: colours.green("✓"), warning: colours.yellow("!"), failure: colours.red("✗") }[status];
  const advice = `    ${colours.dim(`→ ${wrapText(plainText(hint ?? ""), { columns, indent: 6 })}`)}\n`;
  // The name goes with the first line, and is wrapped as part of it.
  const found = wrapText(`${name}: ${plainText(message)}`, { columns, indent: 2 }).slice(name.length);
  return `${mark} ${colours.bold(name)}${found}\n${hint === undefined ? "" : advice}`;
}

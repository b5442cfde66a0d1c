import { Command, CommanderError } from "commander";
import type { Io } from "./io.ts";
import { addConfigFlags, givenOptions } from "./support/config-flags.ts";
import { EXIT_CODES, reportError } from "./support/exit.ts";
import { packageVersion } from "./support/version.ts";

const EXIT_CODE_HELP = "\nExit codes: 0 done, 1 failed, 2 wrong usage or configuration.";

/** Runs one command and answers its exit code; whatever goes wrong is told on stderr. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  let exitCode: number = EXIT_CODES.ok;
  const program = createProgram(io, async (command) => {
    exitCode = (await command()) ?? EXIT_CODES.ok;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    // Commander has written its own text already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
    return reportError(error, io);
  }
}

/** Runs a command's work; the number it may answer is the exit code. */
type Perform = (command: () => Promise<number | void>) => Promise<void>;

/** All commands and their flags. What a command needs is loaded when it runs. */
export function createProgram(io: Io, perform: Perform): Command {
  const program = new Command("nomad-changefeed")
    .description("Every change of a Nomad cluster as a durable, ordered, replayable feed of events.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .addHelpText("after", EXIT_CODE_HELP)
    .showHelpAfterError("(see --help)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => 110,
      getErrHelpWidth: () => 110,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  addServiceCommands(program, io, perform);
  return program;
}

function addServiceCommands(program: Command, io: Io, perform: Perform): void {
  program.commandsGroup("The feed:");
  addConfigFlags(
    program.command("config").description("print the resolved configuration and where each value came from"),
  )
    .option("--json", "as JSON")
    .option("--schema", "the JSON Schema of the configuration file instead")
    .action((flags: Record<string, unknown>) =>
      perform(async () => {
        const { printConfig, printConfigSchema } = await import("./config.ts");
        if (flags["schema"] === true) printConfigSchema(io);
        else printConfig({ given: givenOptions(flags, io), json: flags["json"] === true }, io);
      }),
    );
}

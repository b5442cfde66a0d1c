import { Argument, Command } from "commander";
import type { Shell } from "../completion.ts";
import type { Io } from "../io.ts";
import type { Perform } from "./flags.ts";

const COMPLETION_HELP_END = `
  source <(nomad-changefeed completion bash)                 # in ~/.bashrc
  source <(nomad-changefeed completion zsh)                  # in ~/.zshrc, after compinit
  nomad-changefeed completion fish > ~/.config/fish/completions/nomad-changefeed.fish`;

/** `help`, `schema` and `completion`. */
export function addReferenceCommands(program: Command, io: Io, perform: Perform): void {
  program.commandsGroup("Reference:");
  program.addHelpCommand(
    new Command("help")
      .argument("[command]")
      .description("print the help of a command")
      .helpGroup("Reference:"),
  );
  program
    .command("schema")
    .description("print the JSON Schema of events and frames, or of one of them")
    .argument(
      "[name]",
      "the name of a schema; openapi or asyncapi: the whole protocol; config: the configuration file",
    )
    .action((name: string | undefined) =>
      perform(async () => {
        const { schemaCommand } = await import("../schema.ts");
        schemaCommand(name, (text) => io.stdout.write(text));
      }),
    );
  program
    .command("completion")
    .description("print a script by which a shell completes commands, flags and their values")
    .addArgument(new Argument("<shell>", "which shell").choices(["bash", "zsh", "fish"]))
    .addHelpText("after", COMPLETION_HELP_END)
    .action((shell: Shell) =>
      perform(async () => {
        const { completionScript } = await import("../completion.ts");
        io.stdout.write(completionScript(shell, program));
      }),
    );
}

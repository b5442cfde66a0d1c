import { Option, type Command } from "commander";
import type { Io } from "../io.ts";
import { addFeedFlags, feedFlags, listFlag, textOf, type Flags, type Perform } from "./flags.ts";

const SILENCE_HELP_END = `
  nomad-changefeed silence add --filter 'resource.job == web' --for 2h --comment "migration"
  nomad-changefeed silence add --rules 'Node*' --min-severity WARN --for 30m
  nomad-changefeed silence end 5f0c21ab

All that is given must hold of an alert. What was told already is told of its end.`;

/** `silence` and what is below it. */
export function addSilenceCommand(program: Command, io: Io, perform: Perform): void {
  const silence = program
    .command("silence")
    .description("alerts that nobody is told of for a while: add, list, end")
    .addHelpText("after", SILENCE_HELP_END);
  const load = () => import("../silence.ts");
  addFeedFlags(silence.command("list", { isDefault: true }))
    .description("the silences in force")
    .action((flags: Flags) => perform(async () => (await load()).listSilences(feedFlags(flags), io)));
  addFeedFlags(silence.command("add"))
    .description("silence alerts from now on")
    .requiredOption("--for <duration>", "for so long: 30m, 2h, 1d")
    .addOption(
      new Option("--filter <expression>", "alerts this holds of, as resource.namespace == ops").argParser(
        (value: string, before: string | undefined) =>
          before === undefined ? value : `(${before}) and (${value})`,
      ),
    )
    .addOption(listFlag("--rules <patterns>", "alerts of these rules, as Node*; * for all"))
    .option("--min-severity <severity>", "alerts that are at least so severe")
    .option("--comment <text>", "why, for people")
    .action((flags: Flags) =>
      perform(async () => {
        const given = {
          filter: textOf(flags["filter"]),
          rules: textOf(flags["rules"]),
          minSeverity: textOf(flags["minSeverity"]),
          for: String(flags["for"]),
          comment: textOf(flags["comment"]),
        };
        await (await load()).addSilence(given, feedFlags(flags), io);
      }),
    );
  addFeedFlags(silence.command("end").alias("expire").argument("<id>"))
    .description("end a silence before its time")
    .action((id: string, flags: Flags) =>
      perform(async () => (await load()).endSilence(id, feedFlags(flags), io)),
    );
}

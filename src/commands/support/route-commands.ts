import type { Command } from "commander";
import type { Io } from "../io.ts";
import { addConfigFlags, givenOptions } from "./config-flags.ts";
import { textOf, type Flags, type Perform } from "./flags.ts";

const ROUTES_HELP_END = `
  nomad-changefeed routes test --since 1d --config feed.yaml
  nomad-changefeed routes test --cursor 7c2e…-1042 --config feed.yaml
  nomad-changefeed alerts --json > alerts.json; nomad-changefeed routes test alerts.json --config feed.yaml

Exits with 1 where no route takes an alert.`;

/** `routes` and what is below it. */
export function addRoutesCommand(program: Command, io: Io, perform: Perform): void {
  const routes = program
    .command("routes")
    .description("where alerts and events would go by the routes of the file, and why")
    .addHelpText("after", ROUTES_HELP_END);
  const test = routes
    .command("test")
    .argument("[file]", "alerts or events as JSON; an alert needs a rule, a severity and labels")
    .description("where alerts of a file or of the log would go, and why; nobody is told")
    .option("--cursor <cursor>", "this event of the log, and the alerts that it is part of")
    .option("--since <time>", "alerts of the log since: 1h, 7d, or 2026-08-22T10:15:30Z")
    .option("--json", "as JSON");
  addConfigFlags(test, ["feed", "cluster", "config"]).action((file: string | undefined, flags: Flags) =>
    perform(async () => {
      const { testRoutes } = await import("../routes.ts");
      const which = { file, cursor: textOf(flags["cursor"]), since: textOf(flags["since"]) };
      return testRoutes({ ...which, json: flags["json"] === true, given: givenOptions(flags, io) }, io);
    }),
  );
}

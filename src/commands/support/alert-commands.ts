import type { Command } from "commander";
import type { Io } from "../io.ts";
import { addConfigFlags, givenOptions } from "./config-flags.ts";
import { addFeedFlags, feedFlags, usually, type Flags, type Perform } from "./flags.ts";

const ALERTS_HELP_END = `
  nomad-changefeed alerts
  nomad-changefeed alerts --json | jq '.alerts[] | select(.state == "firing").summary'
  nomad-changefeed alerts replay --since 7d --config feed.yaml

Exits with 1 where something fires, and where nobody looks.`;

/** `alerts` and what is below it. */
export function addAlertsCommand(program: Command, io: Io, perform: Perform): void {
  const alerts = program
    .command("alerts")
    .description("what fires now, since when and why; what would have fired by other rules")
    .addHelpText("after", ALERTS_HELP_END);
  addFeedFlags(alerts.command("list", { isDefault: true }))
    .description("what fires now, and what is pending")
    .option("--ended", "also what ended in the last hour, and why")
    .action((flags: Flags) =>
      perform(async () => {
        const { alerts: list } = await import("../alerts.ts");
        return list({ ...feedFlags(flags), ended: flags["ended"] === true }, io);
      }),
    );
  const replay = alerts
    .command("replay")
    .description("what the rules of the file would have made fire over the log; nobody is told")
    .addOption(usually("--since <time>", "events recorded since: 6h, 7d, or 2026-08-22T10:15:30Z", "1d"))
    .option("--json", "the alerts as JSON");
  addConfigFlags(replay, ["feed", "cluster", "config"]).action((flags: Flags) =>
    perform(async () => {
      const { replayAlerts } = await import("../alert-replay.ts");
      const { since } = flags;
      await replayAlerts(
        { since: String(since), json: flags["json"] === true, given: givenOptions(flags, io) },
        io,
      );
    }),
  );
}

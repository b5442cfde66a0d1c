import type { Command } from "commander";
import type { Steering } from "../deliveries.ts";
import type { Io } from "../io.ts";
import { addFeedFlags, feedFlags, textOf, usually, type Flags, type Perform } from "./flags.ts";

const DELIVERIES_HELP_END = `
  nomad-changefeed deliveries
  nomad-changefeed deliveries show ops-webhook
  nomad-changefeed deliveries replay ops-webhook --since 1h
  nomad-changefeed deliveries dead-letters retry ops-webhook --all

Exits with 1 where a circuit is open, nobody delivers, or a test fails.`;

/** `deliveries` and what is below it. */
export function addDeliveriesCommand(program: Command, io: Io, perform: Perform): void {
  const deliveries = program
    .command("deliveries")
    .description("how the feed's deliveries to destinations go, and steering them")
    .addHelpText("after", DELIVERIES_HELP_END);
  const load = () => import("../deliveries.ts");
  addFeedFlags(deliveries.command("list", { isDefault: true }))
    .description("all deliveries: state, lag, dead letters")
    .action((flags: Flags) => perform(async () => (await load()).listDeliveries(feedFlags(flags), io)));
  addFeedFlags(deliveries.command("show").argument("<name>"))
    .description("one delivery, with its last attempts")
    .option("--full", "with what was sent and answered in all of them")
    .action((name: string, flags: Flags) =>
      perform(async () => {
        const options = { ...feedFlags(flags), full: flags["full"] === true };
        return (await load()).showDelivery(name, options, io);
      }),
    );
  const steer = (name: string, flags: Flags, steering: Steering) =>
    perform(async () => (await load()).steerDelivery(name, steering, { ...feedFlags(flags), io }));
  addFeedFlags(deliveries.command("pause").argument("<name>"))
    .description("send nothing until it is resumed")
    .option("--reason <text>", "why, for people")
    .action((name: string, flags: Flags) =>
      steer(name, flags, { what: "pause", reason: textOf(flags["reason"]) }),
    );
  addFeedFlags(deliveries.command("resume").argument("<name>"))
    .description("go on after a pause, and at once where the circuit is open")
    .action((name: string, flags: Flags) => steer(name, flags, { what: "resume" }));
  addFeedFlags(deliveries.command("replay").argument("<name>"))
    .description("send again what was sent before")
    .option("--since <time>", "what was recorded since: 10m, 1d, or 2026-08-22T10:15:30Z")
    .option("--cursor <cursor>", "what comes after this event")
    .action((name: string, flags: Flags) =>
      steer(name, flags, {
        what: "replay",
        since: textOf(flags["since"]),
        cursor: textOf(flags["cursor"]),
      }),
    );
  addFeedFlags(deliveries.command("test").argument("<name>"))
    .description("send a test event; print what was sent and what came back")
    .action((name: string, flags: Flags) =>
      perform(async () => (await load()).testDelivery(name, feedFlags(flags), io)),
    );
  addDeadLettersCommand(deliveries, io, perform);
}

function addDeadLettersCommand(deliveries: Command, io: Io, perform: Perform): void {
  const letters = deliveries
    .command("dead-letters")
    .description("events that a destination would not take: list, show, retry, drop");
  const load = () => import("../deliveries.ts");
  addFeedFlags(letters.command("list").argument("<name>"))
    .description("the oldest first")
    .addOption(usually("--limit <count>", "at most so many", "100"))
    .option("--after <cursor>", "those after this one")
    .action((name: string, flags: Flags) =>
      perform(async () => {
        const page = { limit: String(flags["limit"]), after: textOf(flags["after"]) };
        await (await load()).listDeadLetters(name, page, { ...feedFlags(flags), io });
      }),
    );
  addFeedFlags(letters.command("show").argument("<name>").argument("<cursor>"))
    .description("one of them, with its event")
    .action((name: string, cursor: string, flags: Flags) =>
      perform(async () => (await load()).showDeadLetter(name, cursor, { ...feedFlags(flags), io })),
    );
  for (const [what, description] of [
    ["retry", "send them once more"],
    ["drop", "forget them"],
  ] as const) {
    addFeedFlags(letters.command(what).argument("<name>").argument("[cursors...]"))
      .description(description)
      .option("--all", "all of them")
      .action((name: string, cursors: string[], flags: Flags) =>
        perform(async () => {
          const which = { what, cursors, all: flags["all"] === true };
          await (await load()).settleDeadLetters(name, which, { ...feedFlags(flags), io });
        }),
      );
  }
}

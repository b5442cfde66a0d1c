import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { resolveConfig } from "../config/resolve.ts";
import { ASPECTS, OPS } from "../schemas/draft.ts";
import { SEVERITY_NAMES } from "../schemas/severity.ts";
import { duration } from "../schemas/value-types.ts";
import type { DemoOptions } from "./demo.ts";
import { hideSecretsIn } from "../schemas/address-text.ts";
import { plainText } from "../schemas/terminal-text.ts";
import { GuardedOutput, type Io } from "./io.ts";
import type { SimulateOptions } from "./simulate.ts";
import { addConfigFlags, givenOptions } from "./support/config-flags.ts";
import { addAlertsCommand } from "./support/alert-commands.ts";
import { addAuditCommand } from "./support/audit-commands.ts";
import { addDeliveriesCommand } from "./support/delivery-commands.ts";
import { addReadCommands } from "./support/read-commands.ts";
import { addReferenceCommands } from "./support/reference-commands.ts";
import { addRoutesCommand } from "./support/route-commands.ts";
import { addSilenceCommand } from "./support/silence-commands.ts";
import { EXIT_CODES, reportError } from "./support/exit.ts";
import {
  addFeedFlags,
  feedFlags,
  listFlag,
  textOf,
  usually,
  type Flags,
  type Perform,
} from "./support/flags.ts";
import { addWaitCommand } from "./support/wait-command.ts";
import { packageVersion } from "../bridge/own-package.ts";

const HELP_END = `
Begin with:
  nomad-changefeed demo                        no Nomad needed
  nomad-changefeed doctor                      is NOMAD_ADDR reached, may the token read, is there room?
  nomad-changefeed run
  nomad-changefeed tail --min-severity WARN    in another terminal

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration; of audit also 3,
not as it was signed; of wait also 124, not within the time.`;

const TAIL_HELP_END = `
Filters are alternatives within one flag, and all flags must hold. The feed's own events (baseline, stale,
resync …) come through --signals, --ops and --aspects too, because they say how far the others can be trusted;
--min-severity WARN keeps the routine ones out.

  nomad-changefeed tail --types allocations,nodes --min-severity WARN --since 1h
  nomad-changefeed tail --json --signals task.oom_killed | jq .data.resource`;

const HISTORY_HELP_END = `
  nomad-changefeed history job/web --since 1d
  nomad-changefeed history --signal node.down --since 7d
  nomad-changefeed history allocation/5456bd7a --json | jq .data.changes`;

/** Runs one command and answers its exit code; whatever goes wrong is told on stderr. */
export async function main(args: readonly string[], given: Io): Promise<number> {
  const io = { ...given, stdout: new GuardedOutput(given.stdout), stderr: new GuardedOutput(given.stderr) };
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
    // Told to end before it had begun.
    if (io.signal.aborted && error instanceof Error && error.name === "AbortError") return EXIT_CODES.ok;
    return reportError(error, io);
  }
}

/** All commands and their flags. What a command needs is loaded when it runs. @internal */
export function createProgram(io: Io, perform: Perform): Command {
  const program = new Command("nomad-changefeed")
    .description("Every change of a Nomad cluster as a durable, ordered, replayable feed of events.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .addHelpText("after", HELP_END)
    .showHelpAfterError("(see --help)")
    .exitOverride()
    .configureHelp({ minWidthToWrap: 20 })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      // What stands behind a mistyped flag, or in its place, may be a secret.
      writeErr: (text) =>
        io.stderr.write(hideSecretsIn(text.replace(/(unknown (?:option|command) '-*[\w-]*).*'/s, "$1'"))),
      getOutHelpWidth: () => helpWidth(io),
      getErrHelpWidth: () => helpWidth(io),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  addFeedCommands(program, io, perform);
  addAssignmentsCommand(program, io, perform);
  addAlertsCommand(program, io, perform);
  addRoutesCommand(program, io, perform);
  addSilenceCommand(program, io, perform);
  addDeliveriesCommand(program, io, perform);
  addAuditCommand(program, io, perform);
  addReloadCommand(program, io, perform);
  addReaderCommands(program, io, perform);
  addReadCommands(program, io, perform);
  addWaitCommand(program, { io, perform, parseDuration: parseDurationFlag });
  addTrialCommands(program, io, perform);
  addReferenceCommands(program, io, perform);
  return program;
}

/** Lines that are longer are hard to read, also where there is room. */
function helpWidth(io: Io): number {
  return Math.min(110, io.columns() ?? 110);
}

function addFeedCommands(program: Command, io: Io, perform: Perform): void {
  program.commandsGroup("The feed:");
  addConfigFlags(
    program.command("run").description("watch Nomad, keep the log and serve subscribers"),
  ).action((flags: Flags) =>
    perform(async () => {
      const given = givenOptions(flags, io);
      const resolved = resolveConfig(given);
      for (const warning of resolved.warnings) io.stderr.write(`warning: ${plainText(warning)}\n`);
      const { run } = await import("./run.ts");
      await run({ resolved, given }, io);
    }),
  );
  addConfigFlags(
    program.command("doctor").description("check Nomad, the token's rights, the log and the port"),
  )
    .option("--json", "as JSON")
    .action((flags: Flags) =>
      perform(async () => {
        const { doctor } = await import("./doctor.ts");
        return doctor({ given: givenOptions(flags, io), json: flags["json"] === true }, io);
      }),
    );
  addConfigFlags(
    program.command("config").description("print the configuration and where each value came from"),
  )
    .option("--json", "as JSON")
    .option("--schema", "the JSON Schema of the configuration file instead")
    .action((flags: Flags) =>
      perform(async () => {
        const { printConfig, printConfigSchema } = await import("./config.ts");
        if (flags["schema"] === true) printConfigSchema(io);
        else printConfig({ given: givenOptions(flags, io), json: flags["json"] === true }, io);
      }),
    );
}

function addReaderCommands(program: Command, io: Io, perform: Perform): void {
  program.commandsGroup("Reading it:");
  const tail = program
    .command("tail")
    .description("follow the events of a running feed, one line each")
    .addOption(usually("--url <url>", "address of the feed", "http://127.0.0.1:4650"))
    .option("--token-file <path>", "file with the token to send, where the feed asks for one")
    .option("--ca-cert <path>", "PEM file of the authority that signed the feed's certificate")
    .addOption(
      new Option("--for <duration>", "end by itself after so long: 20s, 5m").argParser(parseDurationFlag),
    )
    .addOption(
      new Option(
        "--give-up <duration>",
        "fail where the feed is not reached for so long (default: keep trying)",
      ).argParser(parseDurationFlag),
    )
    .option("--json", "events as they are, one JSON object a line")
    .addHelpText("after", TAIL_HELP_END);
  for (const [flag, help] of TAIL_PARAMETERS) tail.addOption(listFlag(flag, help));
  tail.addOption(
    new Option(
      "--filter <expression>",
      "events this holds of, as Status == running; given twice, both must hold",
    ).argParser(collect),
  );
  tail.action((flags: Flags & { for?: number; giveUp?: number }) =>
    perform(async () => {
      const { tail: follow } = await import("./tail.ts");
      const { url, json, tokenFile, caCert, for: forMs, giveUp: giveUpMs, ...rest } = flags;
      const files = { tokenFile: textOf(tokenFile), caCert: textOf(caCert) };
      const parameters = rest as Record<string, string | string[]>;
      await follow({ url: String(url), json: json === true, ...files, forMs, giveUpMs, parameters }, io);
    }),
  );
  const history = program
    .command("history")
    .description(
      "what the log remembers of a job, node, allocation …, newest last; works while the feed runs",
    )
    .argument("[object]", "job/web, node/<id>, allocation/<beginning of its id> …; without it, everything")
    .option("--since <time>", "recorded since: 10m, 1d, or 2026-08-22T10:15:30Z")
    .option("--until <time>", "recorded until")
    .option("--namespace <name>", "in this namespace only")
    .option("--signal <name>", "with this signal only, such as allocation.failed")
    .option("--only", "the object alone, without the allocations, deployments and evaluations of it")
    .addOption(usually("--limit <count>", "at most so many, the newest", "200"))
    .option("--json", "events as they are, one JSON object a line")
    .addHelpText("after", HISTORY_HELP_END);
  addConfigFlags(history, ["feed", "config"]).action((object: string | undefined, flags: Flags) =>
    perform(async () => {
      const { history: print } = await import("./history.ts");
      const { since, until, namespace, signal } = flags;
      const texts = { object, since, until, namespace, signal } as Record<string, string>;
      const switches = { only: flags["only"] === true, json: flags["json"] === true };
      await print(
        { ...texts, ...switches, limit: String(flags["limit"]), given: givenOptions(flags, io) },
        io,
      );
    }),
  );
}

function addReloadCommand(program: Command, io: Io, perform: Perform): void {
  addFeedFlags(program.command("reload"))
    .description("have a running feed read its configuration file again: destinations, redaction, alerts")
    .addHelpText(
      "after",
      "\nWithout losing a subscriber or a position. A file with a mistake is refused whole: exits with 1, the former goes on.",
    )
    .action((flags: Flags) =>
      perform(async () => {
        const { reload } = await import("./reload.ts");
        await reload(feedFlags(flags), io);
      }),
    );
}

function addAssignmentsCommand(program: Command, io: Io, perform: Perform): void {
  addFeedFlags(program.command("assignments"))
    .description("who watches what in a running feed, since when, and how far it is behind")
    .addHelpText("after", "\nExits with 1 where something is not watched, or cannot be read.")
    .action((flags: Flags) =>
      perform(async () => {
        const { assignments } = await import("./assignments.ts");
        return assignments(feedFlags(flags), io);
      }),
    );
}

/** Parameters of /v1/events, by their flags. */
const TAIL_PARAMETERS = [
  [
    "--types <types>",
    "kinds of objects (jobs, allocations …), event types, or feed for the feed's own events",
  ],
  ["--namespaces <names>", "of these namespaces"],
  ["--ops <ops>", OPS.join(", ")],
  ["--aspects <aspects>", ASPECTS.join(", ")],
  ["--signals <names>", "named transitions, such as allocation.failed"],
  ["--subjects <subjects>", "single objects: allocations/default/<id>"],
  ["--min-severity <severity>", SEVERITY_NAMES.join(", ")],
  ["--since <time>", "from what was recorded since: 10m, 1d, or 2026-08-22T10:15:30Z"],
  ["--cursor <cursor>", "from a cursor on, or earliest, or latest (what happens from now on)"],
  ["--limit <count>", "end after so many events"],
] as const;

function addTrialCommands(program: Command, io: Io, perform: Perform): void {
  program.commandsGroup("Trying it:");
  program
    .command("demo")
    .description("a simulated cluster, its feed and a live view of the events, all in one process")
    .addOption(
      new Option("--for <duration>", "end by itself after so long: 20s, 5m").argParser(parseDurationFlag),
    )
    .addOption(wholeNumber("--changes-per-second <count>", "how lively the cluster is", 10))
    .addOption(wholeNumber("--allocations <count>", "allocations at the start", 60))
    .addOption(wholeNumber("--seed <number>", "same seed, same cluster", 1))
    .option("--listen <host:port>", "where subscribers connect (default: 127.0.0.1:4650, or any free port)")
    .option(
      "--feed <location>",
      "keep the log there, such as sqlite:./demo.db (default: it goes with the demo)",
    )
    .action(({ for: forMs, ...flags }: Omit<DemoOptions, "forMs"> & { for?: number }) =>
      perform(async () => {
        const { demo } = await import("./demo.ts");
        return demo({ ...flags, ...(forMs === undefined ? {} : { forMs }) }, io);
      }),
    );
  program
    .command("simulate")
    .description("serve a simulated Nomad API: a cluster that lives, and lies on demand")
    .addOption(usually("--listen <host:port>", "port 0: any free one", "127.0.0.1:4646"))
    .addOption(wholeNumber("--seed <number>", "same seed, same cluster", 1))
    .addOption(wholeNumber("--allocations <count>", "allocations at the start, up to 100000", 40))
    .addOption(wholeNumber("--changes-per-second <count>", "how lively it is", 10))
    .option("--faults <list>", "kinds of faults and their probability per request: reset:0.01,429:0.01")
    .option("--acl", "enforce ACLs; prints the management token")
    .action((flags: SimulateOptions) =>
      perform(async () => {
        const { simulate } = await import("./simulate.ts");
        await simulate(flags, io);
      }),
    );
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function parseDurationFlag(value: string): number {
  const type = duration({ minMs: 1000 });
  const parsed = type.schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(`Allowed: ${type.allowed}.`);
}

function wholeNumber(flag: string, help: string, usual: number): Option {
  return new Option(flag, help).default(usual).argParser((value) => {
    if (/^\d{1,9}$/.test(value)) return Number(value);
    throw new InvalidArgumentError("Allowed: a whole number.");
  });
}

import { Option, type Command } from "commander";
import type { Io } from "../io.ts";
import type { StateFormat } from "../state.ts";
import { addFeedFlags, feedFlags, listFlag, textOf, usually, type Flags, type Perform } from "./flags.ts";

const AT = "as of then: 10m, 1d, 2026-08-22T10:15:30Z, or a cursor (default: now)";

const STATE_HELP_END = `
  nomad-changefeed state --types nodes
  nomad-changefeed state --at 10m --types allocations --filter 'ClientStatus == "failed"'
  nomad-changefeed state --at 2026-08-22T10:15:30Z --format ndjson | jq .data.after

The past reaches back as far as the log does.`;

const WHY_HELP_END = `
  nomad-changefeed why allocation/5456bd7a
  nomad-changefeed why job/web --namespace prod
  nomad-changefeed why node/fb2170a8 --at 1h

The beginning of an id is enough where only one begins like it. What is gone has
to be named whole, with its namespace.`;

/** `state` and `why`. */
export function addReadCommands(program: Command, io: Io, perform: Perform): void {
  addStateCommand(program, io, perform);
  addFeedFlags(program.command("why"))
    .description("what led to an object's state: who placed it, what it replaced, how it ended")
    .argument("<object>", "allocation/<id>, job/<id>, evaluation/<id>, deployment/<id>, node/<id>")
    .option("--namespace <name>", "of this namespace (default: found by itself where one has it)")
    .option("--at <time>", AT)
    .addHelpText("after", WHY_HELP_END)
    .action((object: string, flags: Flags) =>
      perform(async () => {
        const { why } = await import("../why.ts");
        const { namespace, at } = flags;
        await why({ ...feedFlags(flags), object, namespace: textOf(namespace), at: textOf(at) }, io);
      }),
    );
}

function addStateCommand(program: Command, io: Io, perform: Perform): void {
  const state = program
    .command("state")
    .description("the objects that a running feed knows, now or as of a time that has passed")
    .addOption(usually("--url <url>", "address of the feed", "http://127.0.0.1:4650"))
    .option("--token-file <path>", "file with the token to send, where the feed asks for one")
    .option("--ca-cert <path>", "PEM file of the authority that signed the feed's certificate")
    .option("--at <time>", AT)
    .addOption(listFlag("--types <types>", "kinds of objects: jobs, allocations …"))
    .addOption(listFlag("--namespaces <names>", "of these namespaces"))
    .addOption(listFlag("--subjects <subjects>", "single objects: allocations/default/<id>"))
    .addOption(
      new Option("--filter <expression>", "objects this holds of; given twice, both must hold").argParser(
        (value: string, all: string[] | undefined) => [...(all ?? []), value],
      ),
    )
    .addOption(
      usually("--format <format>", "lines for people, ndjson or json", "lines").choices([
        "lines",
        "ndjson",
        "json",
      ]),
    )
    .addHelpText("after", STATE_HELP_END);
  state.action(({ url, tokenFile, caCert, format, ...parameters }: Flags) =>
    perform(async () => {
      const { state: print } = await import("../state.ts");
      const address = { url: String(url), tokenFile: textOf(tokenFile), caCert: textOf(caCert) };
      await print(
        { ...address, format: format as StateFormat, parameters: parameters as Record<string, string> },
        io,
      );
    }),
  );
}

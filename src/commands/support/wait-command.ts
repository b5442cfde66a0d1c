import { Option, type Command } from "commander";
import type { Io } from "../io.ts";
import { addFeedFlags, feedFlags, textOf, usually, type Flags, type Perform } from "./flags.ts";

const WAIT_HELP_END = `
  nomad-changefeed wait deployment web --job-version 4
  nomad-changefeed wait deployment web --for needs-promotion --timeout 5m
  nomad-changefeed wait job nightly/periodic-1795436878 --for complete --timeout 2h

What is named is a job, or with deployment also the id of a deployment, or its first 8 digits and more. Of a job its
newest version counts; an end must then hold for 3 s, in case a newer version is yet to be heard of. Name the one that
was just registered by --job-version, or by the --evaluation that \`nomad job run -detach\` prints.

Exit codes: 0 reached, 1 failed (the last line says why), 2 wrong usage, 124 not within the time.`;

export function addWaitCommand(
  program: Command,
  { io, perform, parseDuration }: { io: Io; perform: Perform; parseDuration: (text: string) => number },
): void {
  const command = program
    .command("wait")
    .description("wait for a deployment or a job, for pipelines: a line for each change, and an exit code")
    .argument("<kind>", "deployment or job")
    .argument("<name>", "of the job, or the id of the deployment")
    .addOption(usually("--for <goal>", "healthy, needs-promotion or complete", "healthy"))
    .addOption(
      new Option("--timeout <duration>", "how long to wait").argParser(parseDuration).default(600_000, "10m"),
    )
    .addOption(usually("--namespace <name>", "of the job", "default"))
    .option("--job-version <number>", "of the job (default: the newest)")
    .option("--evaluation <id>", "that the registration made");
  addFeedFlags(command)
    .addHelpText("after", WAIT_HELP_END)
    .action((kind: string, name: string, flags: Flags & { readonly timeout?: unknown }) =>
      perform(async () => {
        const { wantedOf } = await import("../waiting/wanted.ts");
        const { wait } = await import("../wait.ts");
        const { jobVersion, evaluation } = flags;
        const texts = { version: textOf(jobVersion), evaluation: textOf(evaluation) };
        const given = { namespace: String(flags["namespace"]), for: String(flags["for"]), ...texts };
        const wanted = wantedOf(kind, name, given);
        return wait({ ...feedFlags(flags), wanted, timeoutMs: Number(flags.timeout) }, io);
      }),
    );
}

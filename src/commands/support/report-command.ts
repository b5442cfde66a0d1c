import type { Command } from "commander";
import type { Io } from "../io.ts";
import { textOf, type Flags, type Perform } from "./flags.ts";
import { addTrailFlags, trailOptions, type AuditFlags } from "./trail-flags.ts";
import { UsageError } from "./usage-error.ts";

const REPORT_HELP_END = `
  nomad-changefeed audit report ./trail --object job/web --since 30d \\
      --sign-with file:audit.key >web.report
  nomad-changefeed audit report --check web.report --key "$(cat audit.vkey)"

A job's history includes its allocations, deployments and evaluations, a node's
its allocations. All entries of the trail are hashed up to its signed root first.

Exits with 3 where the trail, or the report, is not as it was signed.`;

export function addReportCommand(audit: Command, io: Io, perform: Perform): void {
  addTrailFlags(audit.command("report").argument("[trail]", "directory or address of the trail"))
    .description("print a signed history of one object, each line with its index in the trail")
    .option("--object <object>", "job/web, node/<id>, allocation/<beginning of its id> …")
    .option("--namespace <name>", "in this namespace only")
    .option("--since <time>", "recorded since: 12h, 30d, or 2026-08-22T10:15:30Z (default: ever)")
    .option("--sign-with <key>", "private key: env:NAME, or file:PATH")
    .option("--check <file>", "say whether this report is as it was signed, and make none")
    .addHelpText("after", REPORT_HELP_END)
    .action((trail: string | undefined, flags: Flags & AuditFlags) =>
      perform(async () => {
        const { report, checkReport } = await import("../audit/report.ts");
        const { keys, ...access } = trailOptions(flags);
        const file = textOf(flags["check"]);
        if (file !== undefined) {
          if (keys.length === 0) throw missing("--key <vkey>: whose signature it should have");
          return checkReport(file, keys, io);
        }
        const [object, signWith] = [textOf(flags["object"]), textOf(flags["signWith"])];
        if (trail === undefined) throw missing("the directory, or the address, of the trail");
        if (object === undefined) throw missing("--object, such as job/web");
        if (signWith === undefined) throw missing("--sign-with, a private key: env:NAME or file:PATH");
        const [namespace, since] = [textOf(flags["namespace"]), textOf(flags["since"])];
        return report(trail, { ...access, keys, object, signWith, namespace, since }, io);
      }),
    );
}

function missing(what: string): UsageError {
  return new UsageError(`Say ${what}`, { hint: "nomad-changefeed audit report --help has examples" });
}

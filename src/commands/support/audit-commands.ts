import type { Command } from "commander";
import type { Io } from "../io.ts";
import { textOf, usually, type Flags, type Perform } from "./flags.ts";
import { addReportCommand } from "./report-command.ts";
import { addKeyFlag, addTrailFlags, trailOptions, type AuditFlags } from "./trail-flags.ts";

const AUDIT_HELP_END = `
  nomad-changefeed audit keygen example.com/nomad --out audit.key
  nomad-changefeed audit verify /var/lib/nomad-audit --key example.com/nomad+530d903a+AekyeR…
  nomad-changefeed audit verify /var/lib/nomad-audit --key … --against checkpoint-of-last-month
  nomad-changefeed audit prove 4711 /var/lib/nomad-audit > 4711.tlog-proof
  nomad-changefeed audit check 4711.tlog-proof --key …
  nomad-changefeed audit prune /var/lib/nomad-audit --before 400d --key …

A trail is a directory or the address it is served at. Everything is in the formats of C2SP tlog-tiles,
tlog-checkpoint, signed-note and tlog-proof, which other programs verify too.

Exits with 3 where a trail or a proof does not verify, with 1 where it could not be read.`;

const PRUNE_HELP_END = `
The whole trail is verified first: one that does not verify is left as it is, with exit 3.
The feed may write the trail meanwhile. What was removed cannot be proved anew, and comes
back from a copy only.`;

/** `audit` and what is below it. */
export function addAuditCommand(program: Command, io: Io, perform: Perform): void {
  const audit = program
    .command("audit")
    .description("verify an audit trail, prove and report what is in it, make a key for it")
    .addHelpText("after", AUDIT_HELP_END);
  addTrailFlags(audit.command("verify").argument("<trail>"))
    .description(
      "compute a whole trail anew; name the first entry that is missing, changed, moved or there twice",
    )
    .option("--against <file>", "a checkpoint of the trail that was kept elsewhere")
    .option("--json", "as JSON")
    .action((trail: string, flags: Flags & AuditFlags) =>
      perform(async () => {
        const { verify } = await import("../audit/verify.ts");
        const options = { against: textOf(flags["against"]), json: flags["json"] === true };
        return verify(trail, { ...trailOptions(flags), ...options }, io);
      }),
    );
  addTrailFlags(audit.command("prove").argument("<event>", "its sequence or cursor").argument("<trail>"))
    .description("print a proof that an event is in a trail, with the event")
    .action((event: string, trail: string, flags: Flags & AuditFlags) =>
      perform(async () => (await import("../audit/prove.ts")).prove(event, trail, trailOptions(flags), io)),
    );
  addTrailFlags(
    audit.command("consistency").argument("<old>", "file with a kept checkpoint").argument("<trail>"),
  )
    .description("print a proof that a trail only grew since a checkpoint, as a witness takes it")
    .action((old: string, trail: string, flags: Flags & AuditFlags) =>
      perform(async () =>
        (await import("../audit/consistency.ts")).consistency(old, trail, trailOptions(flags), io),
      ),
    );
  addProofAndKeyCommands(audit, io, perform);
  addPruneCommand(audit, io, perform);
  addReportCommand(audit, io, perform);
}

function addProofAndKeyCommands(audit: Command, io: Io, perform: Perform): void {
  addKeyFlag(audit.command("check").argument("<file>"))
    .description("check what prove or consistency printed, without the trail; print the event")
    .option("--against <file>", "the kept checkpoint, of a proof of consistency")
    .action((file: string, flags: Flags & AuditFlags) =>
      perform(async () => {
        const { check } = await import("../audit/check.ts");
        await check(file, { keys: flags.key ?? [], against: textOf(flags["against"]) }, io);
      }),
    );
  audit
    .command("keygen")
    .argument("<name>", "of the trail, such as example.com/nomad: without spaces and +")
    .description("write a private key to a file that only its owner reads, print the public one")
    .addOption(usually("--out <file>", "the file, which must not be there", "audit.key"))
    .action((name: string, flags: Flags) =>
      perform(async () => (await import("../audit/keygen.ts")).keygen(name, String(flags["out"]), io)),
    );
  audit
    .command("vkey")
    .argument("[key]", "the private key: env:NAME, or file:PATH", "file:audit.key")
    .description("print the public key of a private one")
    .action((key: string) => perform(async () => (await import("../audit/keygen.ts")).vkey(key, io)));
}

function addPruneCommand(audit: Command, io: Io, perform: Perform): void {
  addKeyFlag(audit.command("prune").argument("<directory>", "of the trail"))
    .description(
      "remove the oldest entries of a trail, 256 at a time, and keep all hashes; the rest verifies, and can be proved",
    )
    .option("--before <time>", "recorded before: 400d, or 2026-08-22T10:15:30Z")
    .option("--before-seq <event>", "in its place, what stands before an event: its sequence or cursor")
    .option("--dry-run", "say what would go, remove nothing")
    .addHelpText("after", PRUNE_HELP_END)
    .action((directory: string, flags: Flags & AuditFlags) =>
      perform(async () => {
        const { prune } = await import("../audit/prune.ts");
        const end = { before: textOf(flags["before"]), beforeSeq: textOf(flags["beforeSeq"]) };
        await prune(directory, { ...end, isDryRun: flags["dryRun"] === true, keys: flags.key ?? [] }, io);
      }),
    );
}

import type { Command } from "commander";
import type { TrailOptions } from "../audit/trail-options.ts";
import { textOf, type Flags } from "./flags.ts";

export interface AuditFlags {
  readonly key?: readonly string[];
}

export function addKeyFlag(command: Command): Command {
  return command.option(
    "--key <vkey>",
    "public key that has to have signed, as keygen prints it; given twice, one of them",
    collect,
  );
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

export function addTrailFlags(command: Command): Command {
  return addKeyFlag(command)
    .option("--token-file <path>", "file with the token to send, where the trail is served to some only")
    .option("--ca-cert <path>", "PEM file of the authority that signed the server's certificate");
}

export function trailOptions(flags: Flags & AuditFlags): TrailOptions {
  const { tokenFile, caCert } = flags;
  return { keys: flags.key ?? [], tokenFile: textOf(tokenFile), caCert: textOf(caCert) };
}

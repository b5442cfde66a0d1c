import { Option, type Command } from "commander";

/** Runs a command's work; the number it may answer is the exit code. */
export type Perform = (command: () => Promise<number | void>) => Promise<void>;

/** What commander parsed: texts, and true for switches. */
export type Flags = Readonly<Record<string, string | true | undefined>>;

/** An option with a default, which the help shows without quotes. */
export function usually(flag: string, help: string, value: string): Option {
  return new Option(flag, help).default(value, value);
}

/** An option whose values are separated by commas: given twice, the values of both count. */
export function listFlag(flag: string, help: string): Option {
  return new Option(flag, help).argParser((value: string, before: string | undefined) =>
    before === undefined ? value : `${before},${value}`,
  );
}

export function textOf(flag: unknown): string | undefined {
  return typeof flag === "string" ? flag : undefined;
}

/** A feed that runs, and its answers as JSON. */
export function addFeedFlags(command: Command): Command {
  return command
    .addOption(usually("--url <url>", "address of the feed", "http://127.0.0.1:4650"))
    .option("--token-file <path>", "file with the token to send, where the feed asks for one")
    .option("--ca-cert <path>", "PEM file of the authority that signed the feed's certificate")
    .option("--json", "as JSON");
}

export function feedFlags(flags: Flags) {
  const files = { tokenFile: textOf(flags["tokenFile"]), caCert: textOf(flags["caCert"]) };
  return { url: String(flags["url"]), json: flags["json"] === true, ...files };
}

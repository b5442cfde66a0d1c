/**
 * Writes man/nomad-changefeed.1, the man page, from the program's own help. The package has it, a checkout does not.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Argument, Command, Option } from "commander";
import { packageVersion } from "../src/bridge/own-package.ts";
import type { Io } from "../src/commands/io.ts";
import { createProgram } from "../src/commands/program.ts";
import { OPTION_NAMES, optionFlag } from "../src/config/options.ts";
import { systemClock } from "../src/shared/clock.ts";

const NAME = "nomad-changefeed";
const FEED_FLAGS: readonly string[] = OPTION_NAMES.map(optionFlag);

/** @param date Of the page, YYYY-MM-DD. */
export function manPage(date: string): string {
  const written: string[] = [];
  const program = createProgram(
    silentIo((text) => written.push(text)),
    () => Promise.resolve(),
  );
  /** What the help says after its lists, which commander writes and does not answer. */
  const closing = (command: Command) => {
    written.length = 0;
    command.outputHelp();
    return written.join("").slice(command.helpInformation().length).replace(/^\n+/, "").trimEnd();
  };
  const commands = commandsOf(program);
  const feedOptions = commands.find(({ path }) => path === "run")?.command.options.filter(isOfFeed) ?? [];
  return [
    `.TH NOMAD-CHANGEFEED 1 ${date} "${NAME} ${packageVersion()}"`,
    ".SH NAME",
    `${roff(NAME)} \\- ${roff(decapitalized(program.description()))}`,
    ".SH SYNOPSIS",
    `.B ${roff(NAME)}`,
    ".I command",
    roff("[options]"),
    ".SH DESCRIPTION",
    roff(
      `Watches a HashiCorp Nomad cluster, writes each change of its objects into a log, and serves the log: over HTTP, to destinations, and to the commands below. ${NAME} help <command> prints what is said of a command here.`,
    ),
    ...example(closing(program)),
    ".SH COMMANDS",
    ...commands.flatMap(({ command, path }) => [
      `.SS ${quoted(`${NAME} ${path} ${usageOf(command)}`.trim())}`,
      roff(`${capitalized(command.description())}.`),
      ...command.registeredArguments.flatMap(argumentLines),
      ...optionsOf(command, feedOptions),
      ...example(closing(command)),
    ]),
    ".SH OPTIONS OF THE FEED",
    roff(
      "Each is a flag, an environment variable, which stands in brackets, and a key of the file of --config: the flag without its dashes. A flag goes before a variable, a variable before the file.",
    ),
    ...grouped(feedOptions),
    ".SH SEE ALSO",
    ".BR nomad (1)",
    ".PP",
    roff(`The package has the whole documentation: docs/operations.md and docs/runbook.md for who runs it.`),
    "",
  ].join("\n");
}

function commandsOf(command: Command, words: readonly string[] = []): { command: Command; path: string }[] {
  return command.commands.flatMap((each) => {
    const path = [...words, each.name()];
    return [{ command: each, path: path.join(" ") }, ...commandsOf(each, path)];
  });
}

function isOfFeed(option: Option): boolean {
  return FEED_FLAGS.includes(option.long ?? "") && option.helpGroupHeading !== undefined;
}

/** Its own; those of the feed, where it takes them all, are told once, in a section of their own. */
function optionsOf(command: Command, feedOptions: readonly Option[]): string[] {
  const all = command.options.filter((option) => !option.hidden);
  const ofFeed = all.filter(isOfFeed);
  if (ofFeed.length < feedOptions.length) return all.flatMap(optionLines);
  const own = all.filter((option) => !ofFeed.includes(option));
  return [...own.flatMap(optionLines), ".PP", roff("Takes all options of the feed, below.")];
}

function grouped(options: readonly Option[]): string[] {
  return [...Map.groupBy(options, (option) => option.helpGroupHeading ?? "")].flatMap(([heading, group]) => [
    `.SS ${quoted(heading.replace(/:$/, ""))}`,
    ...group.flatMap(optionLines),
  ]);
}

function optionLines(option: Option): string[] {
  const usual = option.defaultValueDescription ?? option.defaultValue;
  const choices = option.argChoices === undefined ? [] : [`allowed: ${option.argChoices.join(", ")}`];
  const facts = [...choices, ...(usual === undefined ? [] : [`default: ${String(usual)}`])];
  const more = facts.length === 0 ? "" : ` (${facts.join("; ")})`;
  return [".TP", `.B ${roff(option.flags)}`, roff(option.description + more)];
}

function argumentLines(argument: Argument): string[] {
  const name = argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
  return argument.description === "" ? [] : [".TP", `.I ${roff(name)}`, roff(argument.description)];
}

function usageOf(command: Command): string {
  return command.usage().replace("[options] ", "").replace("[options]", "");
}

/** Lines as they are. */
function example(text: string): string[] {
  return text === "" ? [] : [".PP", ".nf", ...text.split("\n").map(roff), ".fi"];
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function decapitalized(text: string): string {
  return (text.charAt(0).toLowerCase() + text.slice(1)).replace(/\.$/, "");
}

function quoted(text: string): string {
  return `"${roff(text)}"`;
}

const SPECIAL: ReadonlyMap<string, string> = new Map([
  ["\\", "\\e"],
  ["-", "\\-"],
  ["'", "\\(aq"],
  ["`", "\\(ga"],
  ['"', "\\(dq"],
  ["^", "\\(ha"],
  ["~", "\\(ti"],
]);

/** Text that means nothing to roff: no macro at its beginning, characters by name, ASCII only. */
function roff(text: string): string {
  const safe = text.replaceAll(/[^ -~]|[\\\-'`"^~]/gu, (character) => {
    const code = character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0");
    return SPECIAL.get(character) ?? `\\[u${code}]`;
  });
  return safe.startsWith(".") ? `\\&${safe}` : safe;
}

function silentIo(write: (text: string) => void): Io {
  return {
    stdout: { write },
    stderr: { write: () => undefined },
    stdoutBytes: { write: () => undefined },
    env: {},
    signal: new AbortController().signal,
    clock: systemClock,
    isTTY: false,
    stderrIsTTY: false,
    columns: () => 76,
  };
}

if (import.meta.main) {
  const { SOURCE_DATE_EPOCH: epoch } = process.env;
  const date = epoch === undefined ? new Date() : new Date(Number(epoch) * 1000);
  const directory = join(import.meta.dirname, "../man");
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${NAME}.1`), manPage(date.toISOString().slice(0, 10)));
}

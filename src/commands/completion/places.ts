import type { Command, Option } from "commander";
import { offerOf, offerOfArgument, type Offer } from "./values.ts";

export interface Word {
  readonly name: string;
  /** One line. */
  readonly about: string;
}

export interface Flag extends Word {
  /** Undefined: it takes no value. */
  readonly value: Offer | undefined;
}

/** A command, and what may stand behind it. */
export interface Place {
  /** The words that lead to it: "" is the program itself, or `audit verify`. */
  readonly path: string;
  readonly commands: readonly Word[];
  readonly flags: readonly Flag[];
  /** Of its arguments, in order. */
  readonly values: readonly Offer[];
}

const ABOUT_LENGTH = 90;

/** The program and all its commands, by their other names too. */
export function placesOf(command: Command, words: readonly string[] = []): Place[] {
  const helper = command.createHelp();
  const below = helper.visibleCommands(command);
  const path = words.join(" ");
  const flags = [command, ...defaultOf(command)].flatMap((each) => helper.visibleOptions(each)).map(flagOf);
  const commands = below.flatMap((each) =>
    namesOf(each).map((name) => ({ name, about: oneLine(each.description()) })),
  );
  const place: Place = {
    path,
    commands,
    flags: [...new Map(flags.map((flag) => [flag.name, flag])).values()],
    values: command.registeredArguments.map((argument) => offerOfArgument(path, argument)),
  };
  const lower = below
    .filter((each) => each.name() !== "help")
    .flatMap((each) => namesOf(each).flatMap((name) => placesOf(each, [...words, name])));
  const help: Place = {
    path: [...words, "help"].join(" "),
    commands: [],
    flags: [],
    values: [{ names: commands.map(({ name }) => name).filter((name) => name !== "help") }],
  };
  return [place, ...lower, ...(below.length > 0 ? [help] : [])];
}

/** The subcommand that is meant where none is named: what is given to the command is given to it. */
function defaultOf(command: Command): Command[] {
  // Commander keeps the name to itself.
  const name: unknown = Reflect.get(command, "_defaultCommandName");
  return command.commands.filter((each) => each.name() === name);
}

function namesOf(command: Command): string[] {
  return [command.name(), ...command.aliases()];
}

function flagOf(option: Option): Flag {
  return {
    name: option.long ?? option.flags,
    about: oneLine(option.description.replace(/ \[[A-Z_]+(, default .*)?\]$/, "")),
    value: offerOf(option),
  };
}

function oneLine(text: string): string {
  return text.length <= ABOUT_LENGTH ? text : `${text.slice(0, ABOUT_LENGTH).replace(/\W*\s\S*$/, "")} …`;
}

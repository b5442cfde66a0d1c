import { Option, type Command } from "commander";
import {
  OPTION_GROUPS,
  OPTION_NAMES,
  optionEnv,
  optionFlag,
  OPTIONS,
  type OptionDefinition,
  type OptionName,
} from "../../config/options.ts";
import type { Given } from "../../config/sources.ts";
import type { Io } from "../io.ts";
import { FILTER_LANGUAGE } from "./filter-language.ts";
import { listFlag } from "./flags.ts";

/** Gives a command the flags of these options, by default of all, in the groups of their definitions. */
export function addConfigFlags(command: Command, names: readonly OptionName[] = OPTION_NAMES): Command {
  for (const group of OPTION_GROUPS) {
    for (const name of names.filter((candidate) => OPTIONS[candidate].group === group)) {
      command.addOption(flagOf(name).helpGroup(`${group}:`));
    }
  }
  return command;
}

/** What the operator gave for these options, from a command's parsed flags. */
export function givenOptions(flags: Readonly<Record<string, unknown>>, io: Io): Given {
  const given: Partial<Record<OptionName, string>> = {};
  for (const name of OPTION_NAMES) {
    const value = flags[name];
    if (typeof value === "string") given[name] = value;
    else if (value === true) given[name] = "true";
  }
  return { flags: given, env: io.env, language: FILTER_LANGUAGE };
}

function flagOf(name: OptionName): Option {
  const definition: OptionDefinition = OPTIONS[name];
  const { type, help } = definition;
  const usual =
    definition.default === undefined || type.placeholder === "" ? "" : `, default ${definition.default}`;
  const make = type.list === true ? listFlag : (flag: string, text: string) => new Option(flag, text);
  return make(`${optionFlag(name)} ${type.placeholder}`.trim(), `${help} [${optionEnv(name)}${usual}]`);
}

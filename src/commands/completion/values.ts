import type { Argument, Option } from "commander";
import { OPTION_NAMES, OPTIONS, type OptionDefinition } from "../../config/options.ts";
import { SIGNAL_NAMES } from "../../events/signals.ts";
import { ASPECTS, OPS } from "../../schemas/draft.ts";
import { DOCUMENT_NAMES, SCHEMA_NAMES } from "../../schemas/json-schema.ts";
import { RESOURCE_TYPES, RESOURCES } from "../../schemas/resources.ts";
import { SEVERITY_NAMES } from "../../schemas/severity.ts";
import { GOALS } from "../waiting/wanted.ts";

/**
 * What a shell offers for a value. `files`: what lies on the disk. Else `names`, of which there may be none; `list`: more
 * follow behind commas; `beginnings`: they end in the midst of a word.
 */
export type Offer = "files" | { readonly names: readonly string[]; readonly more?: "list" | "beginnings" };

const NOTHING: Offer = { names: [] };
const OBJECTS: Offer = {
  names: RESOURCE_TYPES.map((type) => `${RESOURCES[type].noun}/`),
  more: "beginnings",
};

/** Of flags that are no options of the feed, as they are declared. @internal */
export const FLAG_OFFERS: ReadonlyMap<string, Offer> = new Map<string, Offer>([
  ["--types <types>", { names: [...RESOURCE_TYPES, "feed"], more: "list" }],
  ["--ops <ops>", { names: OPS, more: "list" }],
  ["--aspects <aspects>", { names: ASPECTS, more: "list" }],
  ["--signals <names>", { names: SIGNAL_NAMES, more: "list" }],
  ["--signal <name>", { names: SIGNAL_NAMES }],
  ["--min-severity <severity>", { names: SEVERITY_NAMES }],
  ["--for <goal>", { names: GOALS }],
  ["--object <object>", OBJECTS],
]);

/** Of arguments, by their command and their name. @internal */
export const ARGUMENT_OFFERS: ReadonlyMap<string, Offer> = new Map<string, Offer>([
  ["history object", OBJECTS],
  ["why object", OBJECTS],
  ["wait kind", { names: ["deployment", "job"] }],
  ["schema name", { names: [...SCHEMA_NAMES, ...DOCUMENT_NAMES] }],
  ["routes test file", "files"],
  ["audit verify trail", "files"],
  ["audit prove trail", "files"],
  ["audit consistency old", "files"],
  ["audit consistency trail", "files"],
  ["audit check file", "files"],
  ["audit prune directory", "files"],
  ["audit report trail", "files"],
]);

/** Undefined for a switch, which takes no value. */
export function offerOf(option: Option): Offer | undefined {
  if (!option.required && !option.optional) return undefined;
  if (option.argChoices !== undefined) return { names: option.argChoices };
  const known = FLAG_OFFERS.get(option.flags);
  if (known !== undefined) return known;
  if (/<(path|file)>$/.test(option.flags)) return "files";
  const name = OPTION_NAMES.find((each) => each === option.attributeName());
  if (name === undefined) return NOTHING;
  const { type }: OptionDefinition = OPTIONS[name];
  if (!option.flags.endsWith(` ${type.placeholder}`) || type.names === undefined) return NOTHING;
  return type.list === true ? { names: type.names, more: "list" } : { names: type.names };
}

/** @param path Of the command, such as `audit verify`. */
export function offerOfArgument(path: string, argument: Argument): Offer {
  if (argument.argChoices !== undefined) return { names: argument.argChoices };
  return ARGUMENT_OFFERS.get(`${path} ${argument.name()}`) ?? NOTHING;
}

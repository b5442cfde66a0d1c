import { ConfigInvalid } from "./errors.ts";
import type { FilterLanguage } from "./conditions.ts";
import {
  readConfigFile,
  type ConfigFile,
  type FileSection,
  type FileValue,
  type SectionName,
} from "./file.ts";
import { hideSecrets } from "../schemas/address-text.ts";
import { didYouMean } from "../schemas/nearest.ts";
import {
  ENV_PREFIX,
  OPTION_NAMES,
  optionEnv,
  optionFlag,
  optionKey,
  OPTIONS,
  type OptionDefinition,
  type OptionName,
  type OptionValues,
} from "./options.ts";

/** What the operator gave: flags by option name (a switch is "true"), and the environment. */
export interface Given {
  readonly flags: Readonly<Partial<Record<OptionName, string>>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the file asks for of events is read with. */
  readonly language?: FilterLanguage;
}

/** Where a value came from, strongest first. */
export const ORIGIN_KINDS = ["flag", "environment", "file", "default"] as const;
export interface Origin {
  readonly kind: (typeof ORIGIN_KINDS)[number];
  /** `flag --wait`, `environment NCF_WAIT`, `file ./feed.yaml:3`, `default`. */
  readonly text: string;
}

export interface ReadOptions<Name extends OptionName> {
  readonly values: Pick<OptionValues, Name>;
  readonly origins: Readonly<Record<Name, Origin>>;
  /** What of the file is no option. */
  readonly sections: ReadonlyMap<SectionName, FileSection>;
  /** Things that look like a mistake but stop nothing. */
  readonly warnings: readonly string[];
}

const DEFAULT_ORIGIN: Origin = { kind: "default", text: "default" };

/** What is read of a file: of all of it, or for one feed of several. */
export type FileOptions = Pick<ConfigFile, "path" | "values" | "sections" | "problems">;

/** The file that is named; undefined where none is. @throws ConfigInvalid */
export function configFileOf(given: Given): ConfigFile | undefined {
  const path = find("config", given, undefined).value;
  return typeof path === "string" ? readConfigFile(path) : undefined;
}

/**
 * The values of the named options: flag before environment before file before default.
 * @throws ConfigInvalid naming every bad value, its source and what is allowed; a secret is not quoted.
 */
export function readOptions<Name extends OptionName>(
  names: readonly Name[],
  given: Given,
  file: FileOptions | undefined = configFileOf(given),
): ReadOptions<Name> {
  const values: Record<string, unknown> = {};
  const origins: Partial<Record<OptionName, Origin>> = {};
  const problems = [...(file?.problems ?? [])];
  const warnings = unknownVariables(given.env);
  for (const name of names) {
    const definition: OptionDefinition = OPTIONS[name];
    const { value, origin } = find(name, given, file);
    origins[name] = origin;
    if (value === undefined) continue;
    const parsed = definition.type.schema.safeParse(value);
    if (parsed.success) values[name] = parsed.data;
    else if (definition.lenientVariable === true && origin.kind === "environment") {
      warnings.push(
        `${describeProblem(name, definition, value, origin)}; it is ignored, as Nomad's own tools do`,
      );
      values[name] = definition.type.schema.parse(definition.default);
      origins[name] = DEFAULT_ORIGIN;
    } else problems.push(describeProblem(name, definition, value, origin));
  }
  if (problems.length > 0) throw new ConfigInvalid(problems);
  return {
    values: values as Pick<OptionValues, Name>,
    origins: origins as Record<Name, Origin>,
    sections: file?.sections ?? new Map(),
    warnings,
  };
}

function find(
  name: OptionName,
  given: Given,
  file: Pick<FileOptions, "path" | "values"> | undefined,
): { value: unknown; origin: Origin } {
  const definition: OptionDefinition = OPTIONS[name];
  const flag = given.flags[name];
  if (flag !== undefined) return { value: flag, origin: { kind: "flag", text: `flag ${optionFlag(name)}` } };
  const variable = given.env[optionEnv(name)];
  // As in Nomad's own tools, a variable set to nothing is not set.
  if (variable !== undefined && variable !== "") {
    return { value: variable, origin: { kind: "environment", text: `environment ${optionEnv(name)}` } };
  }
  const entry = file?.values.get(optionKey(name));
  if (file !== undefined && entry !== undefined) {
    return {
      value: entry.value,
      origin: { kind: "file", text: fileText(file.path, optionKey(name), entry) },
    };
  }
  return { value: definition.default, origin: DEFAULT_ORIGIN };
}

function fileText(path: string, key: string, { line, within }: FileValue): string {
  return `file ${path}:${line}${within === undefined ? "" : `, ${within}.${key}`}`;
}

function describeProblem(
  name: OptionName,
  definition: OptionDefinition,
  value: unknown,
  origin: Origin,
): string {
  const shown =
    definition.secret === true
      ? "the value given (not shown)"
      : JSON.stringify(value, (_name, part: unknown) => withoutSecrets(part, definition));
  const given = Array.isArray(value) ? value.join(",") : value;
  const nearest = typeof given === "string" ? (definition.type.nearest?.(given) ?? "") : "";
  return `${optionFlag(name)}: ${shown} is not allowed (${origin.text})${nearest}; allowed: ${definition.type.allowed}`;
}

/** An address, or what was pasted where none belongs, may have a password in it. */
function withoutSecrets(part: unknown, { type }: OptionDefinition): unknown {
  if (typeof part !== "string") return part;
  return type.isAddress === true || part.includes("@") || part.includes("://") ? hideSecrets(part) : part;
}

function unknownVariables(env: Given["env"]): string[] {
  const known = OPTION_NAMES.map(optionEnv);
  return Object.keys(env)
    .filter((name) => name.startsWith(ENV_PREFIX) && !known.includes(name))
    .map((name) => `the variable ${name} is not an option and is ignored${didYouMean(name, known)}`);
}

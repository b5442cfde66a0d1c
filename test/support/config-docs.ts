import {
  OPTION_GROUPS,
  OPTION_NAMES,
  optionEnv,
  optionFlag,
  optionKey,
  OPTIONS,
  type OptionDefinition,
  type OptionName,
} from "../../src/config/options.ts";

/** docs/configuration.md, from the definitions of the options. */
export function configDocs(): string {
  const groups = OPTION_GROUPS.map((group) => {
    const names = OPTION_NAMES.filter((name) => OPTIONS[name].group === group);
    return `## ${group}\n\n${names.map(entryOf).join("\n")}`;
  });
  return `${INTRODUCTION}\n${groups.join("\n")}`;
}

const INTRODUCTION = `# Configuration

Every option is a flag, an environment variable and a key of the YAML file that \`--config\` names. A flag goes
before the environment, the environment before the file, the file before the default. A variable set to nothing
is not set. An unknown flag or key is refused, an unknown \`NCF_\` variable is warned of.

\`nomad-changefeed config\` prints every value and where it came from; \`config --schema\` prints the JSON Schema
of the file. Lists take a comma between their items; in the file a YAML list will do.

This page is made from the definitions: \`npx vitest run --project unit test/unit/config.test.ts -u\`.
`;

function entryOf(name: OptionName): string {
  const definition: OptionDefinition = OPTIONS[name];
  const usual = definition.default === undefined ? "none" : `\`${definition.default}\``;
  const key = definition.notInFile === true ? "" : `, key \`${optionKey(name)}\``;
  return `### ${optionFlag(name)}

${sentence(definition.help)}

Variable \`${optionEnv(name)}\`${key}. Default: ${usual}. Allowed: ${definition.type.allowed.replaceAll("*", "`*`")}.
`;
}

function sentence(help: string): string {
  const text = help.replaceAll("*", "`*`").replaceAll("<cluster>/<region>", "`<cluster>/<region>`");
  return `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}.`;
}

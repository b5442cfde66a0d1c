import { z } from "zod";
import { OPTION_NAMES, optionEnv, optionFlag, optionKey, OPTIONS, type OptionDefinition } from "./options.ts";

/** JSON Schema (2020-12) of the configuration file, for editors and pipelines. */
export function configFileSchema(): Record<string, unknown> {
  const properties: Record<string, unknown> = {};
  for (const name of OPTION_NAMES) {
    const definition: OptionDefinition = OPTIONS[name];
    if (definition.notInFile === true) continue;
    const { $schema: _, ...schema } = z.toJSONSchema(definition.type.schema, { io: "input" });
    properties[optionKey(name)] = {
      ...schema,
      description: `${definition.help}. Flag ${optionFlag(name)}, variable ${optionEnv(name)}; allowed: ${definition.type.allowed}`,
      ...(definition.default === undefined ? {} : { default: definition.default }),
    };
  }
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "nomad-changefeed configuration file",
    type: "object",
    additionalProperties: false,
    properties,
  };
}

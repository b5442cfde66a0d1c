import { z } from "zod";
import { TOLD_SCHEMAS } from "../schemas/destinations/told.ts";
import { DESTINATION_NAME } from "../schemas/destinations/common.ts";
import { DESTINATION_SCHEMAS } from "../schemas/destinations/index.ts";
import { FEED_NAME, PROCESS_OPTIONS } from "./feed-options.ts";
import { OPTION_NAMES, optionEnv, optionFlag, optionKey, OPTIONS, type OptionDefinition } from "./options.ts";
import { alertsSchema } from "../schemas/alert-rules.ts";
import { schemaId } from "../schemas/json-schema.ts";
import { redactionRuleSchema } from "../schemas/redaction-schema.ts";
import { routeSchema } from "../schemas/routes.ts";

/** JSON Schema (2020-12) of the configuration file, for editors and pipelines. */
export function configFileSchema(): Record<string, unknown> {
  const properties: Record<string, unknown> = {};
  for (const name of OPTION_NAMES) {
    const definition: OptionDefinition = OPTIONS[name];
    if (definition.notInFile === true) continue;
    const schema = schemaOf(definition.type.schema);
    properties[optionKey(name)] = {
      ...schema,
      description: `${definition.help}. Flag ${optionFlag(name)}, variable ${optionEnv(name)}; allowed: ${definition.type.allowed}`,
      ...(definition.default === undefined ? {} : { default: definition.default }),
    };
  }
  properties["destinations"] = {
    type: "object",
    description: "Where events are delivered to, and alerts told of, by name",
    propertyNames: { pattern: DESTINATION_NAME.source },
    additionalProperties: {
      oneOf: [...DESTINATION_SCHEMAS.values(), ...TOLD_SCHEMAS.values()].map(schemaOf),
    },
  };
  properties["redaction"] = {
    type: "array",
    description: "What must not leave the feed",
    items: schemaOf(redactionRuleSchema),
  };
  properties["alerts"] = {
    description: "What people are told of, and when; off: no alerts are made",
    anyOf: [{ const: "off" }, schemaOf(alertsSchema)],
  };
  const { $defs, ...routes } = schemaOf(z.array(routeSchema));
  properties["routes"] = { ...routes, description: "Who is told of which alerts" };
  const process = PROCESS_OPTIONS.map(optionKey);
  const own = Object.keys(properties).filter((key) => !process.includes(key));
  properties["feeds"] = {
    type: "array",
    minItems: 1,
    description:
      "Several feeds in one process. What one does not say is as at the top of the file; `cluster` and `feed` follow from its name",
    items: {
      type: "object",
      required: ["name"],
      additionalProperties: false,
      properties: {
        name: { type: "string", pattern: FEED_NAME.source, description: "Its name, in paths and labels" },
        ...Object.fromEntries(own.map((key) => [key, { $ref: `#/properties/${key}` }])),
      },
    },
  };
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: schemaId("config"),
    title: "nomad-changefeed configuration file",
    type: "object",
    additionalProperties: false,
    properties,
    $defs,
  };
}

function schemaOf(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...body } = z.toJSONSchema(schema, { io: "input" });
  return body;
}

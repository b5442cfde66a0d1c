import { z } from "zod";
import { controlEventSchema } from "./control-schema.ts";
import { ChangefeedError } from "./errors.ts";
import { changeEventSchema } from "./event-schema.ts";
import { feedsFrameSchema, frameSchema, objectFrameSchema } from "./frames-schema.ts";
import { STUB_SCHEMAS } from "./nomad-stubs.ts";
import { RESOURCE_TYPES, RESOURCES, type Noun } from "./resources.ts";

/** Every schema people may ask for, by its name on the command line. */
const SCHEMAS = {
  change: { title: "A change of a Nomad object", schema: changeEventSchema },
  control: { title: "An event of the feed about itself", schema: controlEventSchema },
  frame: { title: "What a connection carries beside events of the log", schema: frameSchema },
  "feeds-frame": {
    title: "What a connection over all feeds of a process carries besides",
    schema: feedsFrameSchema,
  },
  object: { title: "An object of a snapshot on a connection", schema: objectFrameSchema },
  ...stubSchemas(),
} satisfies Record<string, { title: string; schema: z.ZodType }>;

function stubSchemas() {
  const named = RESOURCE_TYPES.map((type) => {
    const { noun } = RESOURCES[type];
    const title = `Nomad's ${noun.replaceAll("-", " ")} list stub`;
    return [noun, { title, schema: STUB_SCHEMAS[type] }] as const;
  });
  return Object.fromEntries(named) as Record<Noun, (typeof named)[number][1]>;
}

export type SchemaName = keyof typeof SCHEMAS;
export const SCHEMA_NAMES = Object.keys(SCHEMAS) as SchemaName[];

/** What is asked for by name as well: the whole protocol, and the configuration file. */
export const DOCUMENT_NAMES = ["openapi", "asyncapi", "config"] as const;

export class UnknownSchema extends ChangefeedError {
  readonly code = "UNKNOWN_SCHEMA";
  constructor(name: string) {
    super(`There is no schema ${JSON.stringify(name)}`, {
      hint: `The schemas are ${[...SCHEMA_NAMES, ...DOCUMENT_NAMES].join(", ")}`,
    });
  }
}

export function isSchemaName(name: string): name is SchemaName {
  return Object.hasOwn(SCHEMAS, name);
}

/** The same in every version, wherever the schema is read. */
export function schemaId(name: string): string {
  return `urn:nomad-changefeed:json-schema:${name}`;
}

/**
 * One schema as JSON Schema (draft 2020-12). Members it does not name are allowed everywhere: later versions
 * may add some.
 */
export function jsonSchemaOf(name: SchemaName): object {
  const { title, schema } = SCHEMAS[name];
  const { $schema, ...body } = z.toJSONSchema(schema, { io: "input" });
  return { $schema, $id: schemaId(name), title, ...body };
}

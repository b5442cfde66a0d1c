import { configFileSchema } from "../config/json-schema.ts";
import { asyncApiDocument } from "../http/documents/asyncapi.ts";
import { openApiDocument } from "../http/documents/openapi.ts";
import {
  DOCUMENT_NAMES,
  isSchemaName,
  jsonSchemaOf,
  SCHEMA_NAMES,
  UnknownSchema,
} from "../schemas/json-schema.ts";

const DOCUMENTS = {
  openapi: openApiDocument,
  asyncapi: asyncApiDocument,
  config: configFileSchema,
} satisfies Record<(typeof DOCUMENT_NAMES)[number], () => object>;

/**
 * Prints a JSON Schema, or those of events, frames and objects as one object by name; by its name, the OpenAPI or AsyncAPI
 * document, or the schema of the configuration file.
 * @throws UnknownSchema, whose hint lists the names.
 */
export function schemaCommand(name: string | undefined, write: (text: string) => void): void {
  write(`${JSON.stringify(printed(name), null, 2)}\n`);
}

function printed(name: string | undefined): object {
  if (name === undefined) return Object.fromEntries(SCHEMA_NAMES.map((each) => [each, jsonSchemaOf(each)]));
  const document = DOCUMENT_NAMES.find((each) => each === name);
  if (document !== undefined) return DOCUMENTS[document]();
  if (!isSchemaName(name)) throw new UnknownSchema(name);
  return jsonSchemaOf(name);
}

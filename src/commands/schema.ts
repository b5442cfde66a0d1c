import { isSchemaName, jsonSchemaOf, SCHEMA_NAMES, UnknownSchema } from "../schemas/json-schema.ts";

/**
 * Prints a JSON Schema, or all of them as one object by name.
 * @throws UnknownSchema, whose hint lists the names.
 */
export function schemaCommand(name: string | undefined, write: (text: string) => void): void {
  if (name !== undefined && !isSchemaName(name)) throw new UnknownSchema(name);
  const printed =
    name === undefined
      ? Object.fromEntries(SCHEMA_NAMES.map((each) => [each, jsonSchemaOf(each)]))
      : jsonSchemaOf(name);
  write(`${JSON.stringify(printed, null, 2)}\n`);
}

import { Ajv2020 } from "ajv/dist/2020.js";
import { wireSchemas } from "../../../src/http/documents/schemas.ts";
import { jsonSchemaOf } from "../../../src/schemas/json-schema.ts";

interface Schema {
  readonly [key: string]: unknown;
}

const ajv = new Ajv2020({ strict: false, validateFormats: false });
const change = jsonSchemaOf("change") as { readonly properties: { readonly data: Schema } };
interface Union {
  readonly oneOf: readonly { readonly properties: { readonly type: Schema; readonly data: Schema } }[];
}
const frame = jsonSchemaOf("frame") as Union;
const WIRE_SHAPES: Readonly<Record<string, object>> = {
  ...wireSchemas(),
  "data of hello": frame.oneOf[0]?.properties.data ?? {},
  "part of a change": partOf(change),
  "part of its data": partOf(change.properties.data),
  "part of a frame over all feeds": partOf(jsonSchemaOf("feeds-frame")),
};

/** What a text of JSON lacks to be of that shape; [] where nothing. */
export function problemsOfJson(text: string, shape: string): string[] {
  const schema = WIRE_SHAPES[shape];
  if (schema === undefined) return [`there is no shape ${shape}`];
  let value: unknown;
  try {
    value = JSON.parse(shape.startsWith("part of") ? whole(text) : text);
  } catch (error) {
    return [(error as Error).message];
  }
  const isValid = ajv.compile(schema);
  return isValid(value)
    ? []
    : (isValid.errors ?? []).map(
        ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
      );
}

/** Members without the braces around them, and dots for what is left out. */
function whole(text: string): string {
  const members = text.replaceAll(/…, (?=")/g, "");
  return members.startsWith("{") ? members : `{${members}}`;
}

/** Nothing is required, and nothing is there that the schema does not name; Nomad's own objects have what they have. */
function partOf(schema: unknown): object {
  return JSON.parse(JSON.stringify(schema), (name, value: unknown) => {
    if (name === "required" && Array.isArray(value)) return undefined;
    if (name === "after" || name === "before") return {};
    const isObject = typeof value === "object" && value !== null && "properties" in value;
    return isObject && !("type" in (value.properties as object) && name === "properties")
      ? { ...value, additionalProperties: false }
      : value;
  }) as object;
}

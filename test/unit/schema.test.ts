import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { schemaCommand } from "../../src/commands/schema.ts";
import { jsonSchemaOf, SCHEMA_NAMES, UnknownSchema } from "../../src/schemas/json-schema.ts";
import { STUB_SCHEMAS } from "../../src/schemas/nomad-stubs.ts";
import { RESOURCE_TYPES } from "../../src/schemas/resources.ts";
import { SAMPLES } from "../support/event-fixtures.ts";

/**
 * What others rely on. A changed hash means a changed promise: if readers must change, raise the number in
 * DATA_SCHEMAS and say so in the changelog; then put the new hash here.
 */
const ACKNOWLEDGED = {
  change: "db24aad4e5a9070f",
  control: "90b7bf34dadd4581",
  frame: "1c10cd77026f11f2",
  object: "5d18ac0e5bf37fc8",
  job: "d902871919ece086",
  node: "a8247ff95cf9c787",
  allocation: "101713a564b5d36f",
  deployment: "f21e46d29579dbba",
  evaluation: "5ec35326fc8d4557",
  namespace: "3240fc3231fc9390",
};

test("no schema changes unnoticed", () => {
  const hashes = SCHEMA_NAMES.map((name) => {
    const text = JSON.stringify(withoutProse(jsonSchemaOf(name)));
    return [name, createHash("sha256").update(text).digest("hex").slice(0, 16)];
  });
  expect(Object.fromEntries(hashes)).toEqual(ACKNOWLEDGED);
});

/** Descriptions may be bettered at any time. */
function withoutProse(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema), (name, value: unknown) =>
    (name === "description" || name === "title") && typeof value === "string" ? undefined : value,
  );
}

test("the command prints one schema, or all by name", () => {
  expect(JSON.parse(printed("change"))).toMatchObject({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: "urn:nomad-changefeed:json-schema:change",
    type: "object",
  });
  expect(Object.keys(JSON.parse(printed(undefined)) as object)).toEqual(SCHEMA_NAMES);
  expect(printed("frame")).toMatch(/\}\n$/);
});

test("a schema that does not exist is refused, and those that do are named", () => {
  const refused = () => printed("chang");
  expect(refused).toThrow(UnknownSchema);
  expect(refused).toThrow('There is no schema "chang"');
  expect(new UnknownSchema("x").hint).toBe(
    "The schemas are change, control, frame, object, job, node, allocation, deployment, evaluation, namespace, openapi, asyncapi",
  );
  expect(() => printed("toString")).toThrow(UnknownSchema);
});

test("no schema forbids members a later version may add", () => {
  expect(printed(undefined)).not.toContain('"additionalProperties": false');
});

test.each(RESOURCE_TYPES)("a stub of %s passes, with fields nobody knows yet", (resource) => {
  const stub = { ...SAMPLES[resource], FromTheFuture: { a: 1 } };
  expect(STUB_SCHEMAS[resource].parse(stub)).toEqual(stub);
});

function printed(name: string | undefined): string {
  let text = "";
  schemaCommand(name, (part) => {
    text += part;
  });
  return text;
}

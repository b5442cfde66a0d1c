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
  change: "5e93c222741051e0",
  control: "aff65f028c3082d9",
  frame: "1c10cd77026f11f2",
  "feeds-frame": "71bc77f6ba8b09fe",
  object: "a1abc064b9ce1ede",
  job: "d902871919ece086",
  node: "a8247ff95cf9c787",
  allocation: "101713a564b5d36f",
  deployment: "f21e46d29579dbba",
  evaluation: "5ec35326fc8d4557",
  namespace: "3240fc3231fc9390",
  "node-pool": "49357319373b84c4",
  service: "02919fe6288d8b78",
  variable: "b8e9e919b097c657",
  "scaling-policy": "402ccf6d939a043f",
  "csi-volume": "e3c21d8425386053",
  "csi-plugin": "3d973d5c42e468f7",
  "host-volume": "8ec26fc0499b9b81",
  "host-volume-claim": "604c8204bd06f2ec",
  "acl-policy": "7f2323560d967112",
  "acl-role": "1568c26bcd0a2cbe",
  "acl-token": "76f81d29d03b9181",
  "acl-auth-method": "dc82109bb86887b4",
  "acl-binding-rule": "c46e4941339ca708",
  server: "72489a502656e833",
  autopilot: "439dc386c0556eb0",
  scheduler: "e64e50a40988d025",
  license: "c8ae6186e15f0436",
  quota: "e084d0dac078bdca",
  "sentinel-policy": "7067cfca0b5bdef7",
  recommendation: "8fd5568bb3670d6c",
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
    `The schemas are ${Object.keys(ACKNOWLEDGED).join(", ")}, openapi, asyncapi, config`,
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

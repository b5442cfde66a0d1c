import specifications from "@asyncapi/specs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv } from "ajv";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { afterEach, beforeEach, expect, it } from "vitest";
import { schemaCommand } from "../../src/commands/schema.ts";
import { ROUTES } from "../../src/http/errors.ts";
import { OUTCOMES } from "../../src/publishers/connection/outcomes.ts";
import { PARAMETERS } from "../../src/schemas/subscription-schema.ts";
import { objectChange } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { DELIVERY, LETTER, ScriptedDeliveries } from "../support/scripted-deliveries.ts";
import { openStream } from "../support/protocol-reader.ts";

let feed: TestFeed;
let url: string;
beforeEach(async () => {
  feed = await TestFeed.open();
  const deliveries = new ScriptedDeliveries([DELIVERY], [LETTER]);
  ({ url } = await feed.serve({}, { deliveries, assignments: deliveries.assignments }));
});
afterEach(() => feed[Symbol.asyncDispose]());

interface OpenApi {
  readonly paths: Record<
    string,
    Record<string, { parameters?: { name: string }[]; responses: Record<string, Answer> }>
  >;
  readonly servers: readonly object[];
  readonly security: readonly object[];
  readonly components: {
    readonly schemas: Record<string, object>;
    readonly securitySchemes: Record<string, object>;
  };
}

interface Answer {
  readonly description: string;
  readonly content?: Record<string, { readonly schema: object }>;
}

async function served<T>(path: string): Promise<T> {
  const response = await fetch(url + path);
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

it("serves a valid OpenAPI 3.1 document, which the command line prints too", async () => {
  const document = await served<OpenApi>("/v1/openapi.json");
  const validator = new Validator();
  const result = await validator.validate(structuredClone(document) as object as Record<string, unknown>);
  expect(result.errors).toBeUndefined();
  expect(result.valid).toBe(true);
  expect(validator.version).toBe("3.1");
  expect(await (await fetch(`${url}/v1/openapi.json`)).text()).toBe(printed("openapi"));
  expect(document.servers).toHaveLength(1);
  // None, where the server asks nobody, or one of them.
  const names = Object.keys(document.components.securitySchemes);
  expect(document.security).toEqual([{}, ...names.map((name) => ({ [name]: [] }))]);
});

it("serves a valid AsyncAPI 3 document, which the command line prints too", async () => {
  const document = await served<object>("/v1/asyncapi.json");
  // The specification brings its own copy of the schema of schemas.
  const ajv = new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false });
  const isValid = ajv.compile(specifications.schemas["3.0.0"] as object);
  expect(isValid(document) ? [] : isValid.errors).toEqual([]);
  expect(isValid({ ...document, operations: { odd: { action: "shout" } } })).toBe(false);
  expect(await (await fetch(`${url}/v1/asyncapi.json`)).text()).toBe(printed("asyncapi"));
});

it("the documents have every route, parameter, error and close code", async () => {
  const { paths } = await served<OpenApi>("/v1/openapi.json");
  const documented = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((method) => method !== "parameters")
      .map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(.*?)\}/g, "<$1>")}`),
  );
  expect(documented.toSorted(undefined)).toEqual(ROUTES.toSorted(undefined));
  const names = paths["/v1/events"]?.["get"]?.parameters?.map(({ name }) => name);
  expect(names).toEqual([...PARAMETERS, "Last-Event-ID"]);
  const asyncText = JSON.stringify(await served("/v1/asyncapi.json"));
  for (const name of PARAMETERS) expect(asyncText).toContain(`"${name}":{"description"`);
  for (const [code, { closeCode }] of OUTCOMES) {
    expect(asyncText).toMatch(new RegExp(String.raw`\| ${closeCode} \| [A-Z_, ]*${code}[, |]`));
  }
});

it("what the server answers is what the documents say", async () => {
  await feed.commitObjects(objectChange({ resource: "jobs", namespace: "default", key: "web" }, "1"));
  await feed.log.consumers.put("pager", { epoch: "another1", sequence: 1 });
  const document = await served<OpenApi>("/v1/openapi.json");
  for (const [path, query, status] of [
    ["/v1/state", "", 200],
    ["/v1/state", "?ops=create", 400],
    ["/v1/events", "?cursor=another1-1", 409],
    ["/v1/history", "?cursor=latest", 400],
    ["/v1/consumers", "", 200],
    ["/v1/consumers/{name}", "", 200],
    ["/v1/assignments", "", 200],
    ["/v1/deliveries", "", 200],
    ["/v1/deliveries/{name}", "", 200],
    ["/v1/deliveries/{name}/dead-letters", "", 200],
    ["/v1/deliveries/{name}/dead-letters", "?limit=0", 400],
    ["/healthz", "", 200],
  ] as const) {
    const response = await fetch(
      url + path.replace("{name}", path.includes("deliveries") ? "hook" : "pager") + query,
    );
    expect([path, response.status]).toEqual([path, status]);
    const content = document.paths[path]?.["get"]?.responses[String(status)]?.content;
    const type = response.headers.get("content-type")?.split(";", 1)[0] ?? "";
    const isValid = validatorOf(document, content?.[type]?.schema ?? { not: {} });
    expect([path, isValid(await response.json()) ? [] : isValid.errors]).toEqual([path, []]);
  }
});

it("what a stream carries is what the documents say", async () => {
  await feed.commitObjects(objectChange({ resource: "jobs", namespace: "default", key: "web" }, "1"));
  const { components } = await served<Pick<OpenApi, "components">>("/v1/asyncapi.json");
  const isObject = validatorOf({ components }, { $ref: "#/components/schemas/object" });
  const isFrame = validatorOf({ components }, { $ref: "#/components/schemas/frame" });
  await using stream = await openStream("websocket", `${url}/v1/events?snapshot=true`);
  const events = await stream.until(({ data }) => data["phase"] === "end");
  expect(
    events.map(({ text }) => (isObject(JSON.parse(text)) ? "object" : isFrame(JSON.parse(text)))),
  ).toEqual([true, true, "object", true]);
});

/** Checks against a schema of the document, which may refer to the document's others. */
function validatorOf(document: Pick<OpenApi, "components">, schema: object): ValidateFunction {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  return ajv.compile({ components: document.components, allOf: [schema] });
}

function printed(name: string): string {
  let text = "";
  schemaCommand(name, (part) => {
    text += part;
  });
  return text;
}

import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { buildChangeEvents } from "../../src/events/build.ts";
import { sealDraft } from "../../src/schemas/draft.ts";
import { changeDataSchema, changeEventSchema } from "../../src/schemas/event-schema.ts";
import { equalJson, parseExact } from "../../src/schemas/json.ts";
import { changeOf, contextOf } from "../support/event-fixtures.ts";

const FILE = new URL("../../docs/concepts.md", import.meta.url);
const BLOCK = /```json\n([\s\S]*?)```/;

/** The fields people ask about first; a real stub has more. */
const stub = (status: string, description: string, index: number, time: string) =>
  `{"ClientDescription":"${description}","ClientStatus":"${status}","CreateIndex":880001,"DesiredStatus":"run",` +
  `"ID":"5456bd7a-9fc0-c0dd-6131-cbee77f57577","JobID":"web","JobVersion":3,"ModifyIndex":${index},"ModifyTime":${time},` +
  `"Name":"web.frontend[3]","Namespace":"default","NodeID":"fb2170a8-257d-3c64-b14d-bc06cc94e34c","TaskGroup":"frontend"}`;

const before = stub("running", "Tasks are running", 884102, "1787393720004005006");
const after = stub("failed", "Failed tasks", 884210, "1787393730123456789");

test("the event shown in docs/concepts.md is what the code builds", () => {
  const [draft] = buildChangeEvents(changeOf("allocations", before, after), contextOf());
  const event = parseExact(draft === undefined ? "null" : sealDraft(draft, "k3f9x2", 12345));
  const page = readFileSync(FILE, "utf8");
  if (process.env["UPDATE_DOCS"] === "1") {
    writeFileSync(
      FILE,
      page.replace(BLOCK, () => `\`\`\`json\n${JSON.stringify(event, null, 2)}\n\`\`\``),
    );
  }
  const shown = BLOCK.exec(readFileSync(FILE, "utf8"))?.[1] ?? "null";
  expect(
    equalJson(parseExact(shown), event),
    "Stale: run UPDATE_DOCS=1 npx vitest run test/unit/event-docs.test.ts",
  ).toBe(true);
});

test("docs/concepts.md explains every field of an event", () => {
  const page = readFileSync(FILE, "utf8");
  const documented = new Set([...page.matchAll(/`(\w+)`/g)].map(([, word]) => word));
  const standard = new Set(["specversion", "datacontenttype", "data"]);
  const fields = [changeEventSchema, changeDataSchema, changeDataSchema.shape.observed].flatMap((schema) =>
    Object.keys(schema.shape),
  );
  expect(fields.filter((field) => !documented.has(field) && !standard.has(field))).toEqual([]);
});

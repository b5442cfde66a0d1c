import { expect, it } from "vitest";
import { buildChangeEvents } from "../../src/events/build.ts";
import { nodeFinder } from "../../src/pollers/enrichment/node-finder.ts";
import { Redaction } from "../../src/publishers/redaction/redaction.ts";
import { sealDraft } from "../../src/schemas/draft.ts";
import { changeEventSchema } from "../../src/schemas/event-schema.ts";
import type { JsonObject } from "../../src/schemas/json.ts";
import { changeOf, contextOf, SAMPLES } from "../support/event-fixtures.ts";

const change = changeOf(
  "nodes",
  { ...SAMPLES.nodes, ModifyIndex: 20 },
  { ...SAMPLES.nodes, ModifyIndex: 30, Status: "down" },
);
const none = new AbortController().signal;
const event = (CreateIndex: number, Message: string) => ({
  CreateIndex,
  Message,
  Subsystem: "Cluster",
  Timestamp: "2026-08-22T10:15:30Z",
});
const nodeWith = (facts: JsonObject): JsonObject => ({
  ...facts,
  Events: [event(0, "registered"), event(20, "old"), event(30, "host db-7 is gone"), event(31, "later")],
});

it("what a node says of itself is what is new of it, without secrets", async () => {
  const answers = [
    nodeWith({ Attributes: { "nomad.version": "2.0.4", arch: "arm64", gone: "x" }, Meta: null }),
    nodeWith({
      Attributes: { "nomad.version": "2.0.5", arch: "arm64" },
      Meta: { api_token: "hunter2", "a/b": "db-7" },
    }),
  ];
  const rules = [{ patterns: ["db-7"] }];
  const finder = nodeFinder({ nodes: { read: async () => answers.shift() }, redact: (texts) => texts });
  const first = await finder.find(change, none);
  expect(first).toEqual({
    node: { events: [{ message: "host db-7 is gone", subsystem: "Cluster", time: "2026-08-22T10:15:30Z" }] },
  });
  const second = await finder.find(change, none);
  if (typeof second === "string") throw new Error(second);
  expect(second.node).toMatchObject({
    changes: [
      { path: "/Attributes/gone", from: "x" },
      { path: "/Attributes/nomad.version", from: "2.0.4", to: "2.0.5" },
      { path: "/Meta/api_token", to: "[redacted]" },
      { path: "/Meta/a~1b", to: "db-7" },
    ],
    omitted: 0,
  });
  const [draft] = buildChangeEvents(change, contextOf({}, { found: new Map([[change, second]]) }));
  if (draft === undefined) throw new Error("no event");
  const text = new Redaction(rules).eventText(sealDraft(draft, "e", 1));
  const { data } = changeEventSchema.parse(JSON.parse(text));
  expect(data.redacted).toEqual(["/node/events/0/message", "/node/changes/3/to"]);
  expect(await finder.find(change, none)).toBe("Nomad has the node no longer");
});

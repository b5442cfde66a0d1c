import { expect, test } from "vitest";
import {
  bookmarkFrame,
  errorFrame,
  frameSchema,
  gapFrame,
  helloFrame,
  objectFrame,
  objectFrameSchema,
  pongFrame,
  snapshotFrame,
} from "../../src/schemas/frames-schema.ts";
import { changeOf, SAMPLES } from "../support/event-fixtures.ts";

const context = { source: "nomad://prod/global", id: "c1/1", time: "2026-08-22T10:15:30.412Z" };
const cursor = "k3f9x2-12";

test.each([
  [
    "nomad.feed.hello",
    helloFrame(context, {
      protocol: 1,
      feed: context.source,
      epoch: "k3f9x2",
      cursor,
      floor: "k3f9x2-0",
      head: cursor,
      gap: false,
    }),
  ],
  ["nomad.feed.bookmark", bookmarkFrame(context, { cursor })],
  ["nomad.feed.snapshot", snapshotFrame(context, { phase: "end", cursor, count: 3 })],
  ["nomad.feed.gap", gapFrame(context, { reason: "expired", wanted: "k3f9x2-2", cursor, missed: 10 })],
  [
    "nomad.feed.error",
    errorFrame(context, { code: "TOO_SLOW", message: "The client read too slowly", closeCode: 4408, cursor }),
  ],
  ["nomad.feed.pong", pongFrame(context, { ping: 7 })],
])("%s is one line: a CloudEvent without a place in the log", (type, text) => {
  expect(text).not.toContain("\n");
  const frame = frameSchema.parse(JSON.parse(text));
  expect(frame).toEqual(JSON.parse(text));
  expect(frame.type).toBe(type);
  expect(JSON.parse(text)).not.toHaveProperty("sequence");
});

test("an object of a snapshot carries the stub's own bytes, and the facts filters ask for", () => {
  const stub = `{"ID": "a1","Namespace":"default","JobID":"web","NodeID":"n1","CreateIndex":5,"ModifyIndex":9,"ModifyTime":1795434687866379238}`;
  const { ref } = changeOf("allocations", undefined, stub);
  const { json, facts } = objectFrame({ ref, rev: "9", stub: Buffer.from(stub) }, { ...context, cursor });
  expect(json).toContain(`"after":${stub},`);
  expect(objectFrameSchema.parse(JSON.parse(json))).toEqual(JSON.parse(json));
  expect(facts).toMatchObject({
    type: "nomad.allocation.snapshot",
    op: "snapshot",
    aspect: null,
    job: "web",
    node: "n1",
    key: "a1",
  });
});

test("an object of every resource is a valid frame, also without an index", () => {
  const { ModifyIndex: _m, CreateIndex: _c, ...namespace } = SAMPLES.namespaces;
  for (const [resource, sample] of Object.entries({ ...SAMPLES, namespaces: namespace })) {
    const { ref, after } = changeOf(resource as keyof typeof SAMPLES, undefined, sample);
    const frame = objectFrame({ ref, rev: "", stub: after?.bytes ?? Buffer.of() }, { ...context, cursor });
    expect(objectFrameSchema.safeParse(JSON.parse(frame.json)).error).toBeUndefined();
  }
});

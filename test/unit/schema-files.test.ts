import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeSchemas } from "../../scripts/schema-files.ts";
import { printConfigSchema } from "../../src/commands/config.ts";
import { schemaCommand } from "../../src/commands/schema.ts";
import { buildChangeEvents } from "../../src/events/build.ts";
import { buildControlEvent, type ControlEvent } from "../../src/events/control.ts";
import { sealDraft, type EventDraft } from "../../src/schemas/draft.ts";
import {
  bookmarkFrame,
  errorFrame,
  feedsHelloFrame,
  feedsNoticeFrame,
  gapFrame,
  helloFrame,
  objectFrame,
  pongFrame,
  snapshotFrame,
} from "../../src/schemas/frames-schema.ts";
import { DOCUMENT_NAMES, SCHEMA_NAMES } from "../../src/schemas/json-schema.ts";
import { RESOURCE_TYPES } from "../../src/schemas/resources.ts";
import { changeOf, contextOf, SAMPLES } from "../support/event-fixtures.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ncf-schemas-"));
  writeSchemas(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string) => readFileSync(join(folder, `${name}.json`), "utf8");
const cursor = "k3f9x2-12";
const frameContext = { source: "nomad://prod/global", id: "c1/1", time: "2026-08-22T10:15:30.412Z" };
const hello = {
  protocol: 1,
  feed: frameContext.source,
  epoch: "k3f9x2",
  cursor,
  floor: cursor,
  head: cursor,
  gap: false,
} as const;
const scope = { resource: "jobs", namespace: "default" } as const;

const sealed = (draft: EventDraft | undefined) =>
  draft === undefined ? "null" : sealDraft(draft, "k3f9x2", 12);
const changed = (type: (typeof RESOURCE_TYPES)[number], from: boolean, to: boolean) => {
  const before = { ...SAMPLES[type], ModifyIndex: 1, Version: 1 };
  const after = { ...SAMPLES[type], ModifyIndex: 2, Version: 2, More: true };
  return buildChangeEvents(
    changeOf(type, from ? before : undefined, to ? after : undefined),
    contextOf(),
  ).map(sealed);
};
const CONTROL: readonly ControlEvent[] = [
  { kind: "baseline", scope, count: 12, index: "884213" },
  { kind: "resync", scope, phase: "begin", reason: "restored" },
  { kind: "scope", scope: null, state: "stale", reason: "Nomad does not answer" },
  { kind: "epoch", previous: "aaaaaa", current: "bbbbbb", reason: "the log lost its tail" },
];
/** What the feed itself makes, by the file that describes it. */
const REAL: readonly (readonly [string, string, string])[] = [
  ...RESOURCE_TYPES.flatMap((type) =>
    (
      [
        [false, true],
        [true, true],
        [true, false],
      ] as const
    )
      .flatMap(([from, to]) => changed(type, from, to))
      .map((text) => ["change", `${type}: ${/"op":"(\w+)"/.exec(text)?.[1]}`, text] as const),
  ),
  ...CONTROL.map((event) => {
    const context = {
      source: frameContext.source,
      nomadEpoch: 1,
      observedAt: frameContext.time,
      discriminator: "17",
    };
    return ["control", event.kind, sealed(buildControlEvent(event, context))] as const;
  }),
  ["frame", "hello", helloFrame(frameContext, hello)],
  ["frame", "bookmark", bookmarkFrame(frameContext, { cursor })],
  ["frame", "snapshot", snapshotFrame(frameContext, { phase: "end", cursor, count: 3 })],
  ["frame", "gap", gapFrame(frameContext, { reason: "expired", wanted: cursor, cursor, missed: 10 })],
  ["frame", "error", errorFrame(frameContext, { code: "TOO_SLOW", message: "too slow", closeCode: 4408 })],
  ["frame", "pong", pongFrame(frameContext, { ping: 7 })],
  ["feeds-frame", "hello", feedsHelloFrame(frameContext, { protocol: 1, feeds: ["prod-eu"] })],
  ["feeds-frame", "notice", feedsNoticeFrame(frameContext, { feed: "prod-eu", state: "away", why: "gone" })],
  ...RESOURCE_TYPES.map((type) => {
    const { ref, after } = changeOf(type, undefined, SAMPLES[type]);
    const { json } = objectFrame(
      { ref, rev: "9", stub: after?.bytes ?? Buffer.of() },
      { ...frameContext, cursor },
    );
    return ["object", type, json] as const;
  }),
];

describe("the files of schemas", () => {
  it("are what the commands print, byte for byte, and nothing else", () => {
    const names = [...SCHEMA_NAMES, ...DOCUMENT_NAMES];
    expect(readdirSync(folder).toSorted()).toEqual(names.map((name) => `${name}.json`).toSorted());
    for (const name of names) expect(file(name)).toBe(printed((write) => schemaCommand(name, write)));
    expect(file("config")).toBe(
      printed((write) => printConfigSchema({ stdout: { write } } as Parameters<typeof printConfigSchema>[0])),
    );
  });

  it("may be some of them", () => {
    writeSchemas(join(folder, "some"), ["frame", "change"]);
    expect(readdirSync(join(folder, "some"))).toEqual(["change.json", "frame.json"]);
    rmSync(join(folder, "some"), { recursive: true });
  });

  it.each([...SCHEMA_NAMES, "config"])("%s is a JSON Schema of 2020-12 under a name of its own", (name) => {
    const schema = JSON.parse(file(name)) as Record<string, unknown>;
    expect(schema).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $id: `urn:nomad-changefeed:json-schema:${name}`,
      title: expect.stringMatching(/./) as string,
    });
    const ajv = new Ajv2020({ strict: false });
    expect(ajv.validateSchema(schema) === true ? [] : ajv.errors).toEqual([]);
    expect(ajv.validateSchema({ ...schema, type: "objekt" })).toBe(false);
  });
});

describe("what the feed makes is what the files say, and nothing that lacks something of it:", () => {
  const validators = new Map<string, ValidateFunction>();
  const validatorOf = (name: string) => {
    const known =
      validators.get(name) ??
      new Ajv2020({ strict: false, validateFormats: false }).compile(JSON.parse(file(name)) as object);
    validators.set(name, known);
    return known;
  };

  it.each(REAL)("%s, %s", (name, _what, text) => {
    const event = JSON.parse(text) as { type: string; data: object };
    const isValid = validatorOf(name);
    expect(isValid(event) ? [] : isValid.errors).toEqual([]);
    const { data, ...without } = event;
    expect(
      [without, { ...event, type: "nomad.nothing" }, { ...event, data: Object.keys(data) }].map((broken) =>
        isValid(broken),
      ),
    ).toEqual([false, false, false]);
  });

  it("each operation on each resource, and each type of frame", () => {
    const kinds = new Set(REAL.map(([name, what]) => `${name} ${what}`));
    expect(kinds.size).toBeGreaterThanOrEqual(RESOURCE_TYPES.length * 4 + CONTROL.length + 8);
  });
});

function printed(print: (write: (text: string) => void) => void): string {
  let text = "";
  print((part) => {
    text += part;
  });
  return text;
}

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openAudit } from "../../src/publishers/audit/audit.ts";
import type { Destination } from "../../src/publishers/delivery/destination.ts";
import { auditSettingsSchema } from "../../src/schemas/destinations/audit.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { generateNoteKey } from "../../src/tlog/note-keys.ts";
import { destinationDeps } from "../support/destination-deps.ts";
import { outgoing } from "../support/outgoing.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { until } from "../support/until.ts";
import { status, WebhookSink } from "../support/webhook-sink.ts";

const { privateKey } = generateNoteKey("example.com/nomad");
const { logger, lines } = recordingLogger();

let directory: string;
let sink: WebhookSink;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "ncf-audit-"));
  sink = await WebhookSink.start();
  lines.length = 0;
});
afterEach(async () => {
  await sink[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

function open(): Promise<Destination> {
  const checkpointTo = { url: sink.url, headers: { "x-trail": "prod" }, allowPrivate: true, every: "0s" };
  const settings = auditSettingsSchema.parse({
    type: "audit",
    directory,
    key: "env:AUDIT_KEY",
    checkpointTo,
  });
  // What was not taken is tried again at once.
  const clock = { ...systemClock, sleep: () => systemClock.yield() };
  return openAudit(settings, destinationDeps({ clock, logger, readSecret: () => privateKey }));
}

async function enter(destination: Destination, number: number): Promise<string> {
  const result = await destination.send([outgoing(number)], new AbortController().signal);
  expect(result).toMatchObject({ outcome: "ok" });
  return readFileSync(join(directory, "checkpoint"), "utf8");
}

const posted = () => sink.taken.map(({ body }) => String(body));

test("each new checkpoint is posted as it stands in the directory", async () => {
  await using destination = await open();
  for (const number of [1, 2]) {
    const checkpoint = await enter(destination, number);
    await until("it is there", () => posted().at(-1) === checkpoint);
  }
  expect(sink.taken[0]).toMatchObject({
    method: "POST",
    headers: { "content-type": "text/plain; charset=utf-8", "x-trail": "prod" },
  });
});

test("who does not take them holds up nothing, is told of once, and gets the newest when he does", async () => {
  await using destination = await open();
  sink.answer = status(500);
  await enter(destination, 1);
  await until("it is told of", () => lines.length > 0);
  const newest = await enter(destination, 2);
  sink.answer = status(200);
  await until("the newest is there", () => posted().at(-1) === newest);
  await until("that is told of", () => lines.length > 1);
  expect(lines).toEqual([
    "a checkpoint of the audit trail was not taken elsewhere; it, or a newer one, is posted again",
    "checkpoints of the audit trail are taken again",
  ]);
});

test("who never answers holds up nothing, not the end either", async () => {
  const asked = Promise.withResolvers<void>();
  sink.answer = () => asked.resolve();
  const destination = await open();
  await enter(destination, 1);
  await asked.promise;
  await enter(destination, 2);
  await destination[Symbol.asyncDispose]();
  expect(posted()).toEqual([]);
});

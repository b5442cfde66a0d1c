import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openAudit } from "../../src/publishers/audit/audit.ts";
import type { Destination } from "../../src/publishers/delivery/destination.ts";
import { Redaction } from "../../src/publishers/redaction/redaction.ts";
import { redactedLog } from "../../src/publishers/redaction/redacted-log.ts";
import { AUDIT_DELIVERY, auditSettingsSchema } from "../../src/schemas/destinations/audit.ts";
import { generateNoteKey } from "../../src/tlog/note-keys.ts";
import { destinationDeps } from "../support/destination-deps.ts";
import { readWholeTrail } from "../support/audit-trail.ts";
import { DeliveryRig } from "../support/delivery-rig.ts";
import { draft, SOURCE } from "../support/drafts.ts";
import { until } from "../support/until.ts";

const { privateKey, verifierKey } = generateNoteKey("example.com/nomad");

let directory: string;
let rig: DeliveryRig;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "ncf-audit-"));
  rig = await DeliveryRig.open();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

/** Delivers to the trail what the log holds, by a worker of its own. */
async function deliver(log = rig.feed.log): Promise<void> {
  await using destination = await open();
  const batch = { maxEvents: 10, maxBytes: 65_536, maxAgeMs: 0 };
  const running = await rig.begin(destination, { ...AUDIT_DELIVERY, batch }, log);
  await until("all is entered", async () => {
    await rig.clock.advance(1500);
    return running.delivery.standing().lagEvents === 0;
  });
  await running.stop();
}

function open(): Promise<Destination> {
  const settings = auditSettingsSchema.parse({ type: "audit", directory, key: "env:AUDIT_KEY" });
  return openAudit(settings, destinationDeps({ source: SOURCE, readSecret: () => privateKey }));
}

const trail = () => readWholeTrail(directory, verifierKey);
const ids = () => trail().events.map(({ id }) => id);

test("what retention took before it was entered is a gap with its reason; the rest is there once", async () => {
  await rig.commit("a:1", "b:1");
  await deliver();
  await rig.commit("a:2", "b:2", "c:2");
  await rig.feed.log.trim({ maxEvents: 1 });
  await deliver();
  await deliver();
  expect(ids()).toEqual(["a:1", "b:1", "c:2"]);
  expect(trail().marks).toMatchObject([
    { type: "changefeed.audit.genesis", firstSeq: 1, feed: SOURCE },
    { type: "changefeed.audit.gap", fromSeq: 3, nextSeq: 5, reason: expect.stringMatching(/^expired: /) },
  ]);
});

test("a new epoch is a mark, and what comes again over it is there once", async () => {
  await rig.commit("a:1");
  await rig.clock.advance(5000);
  await rig.commit("b:1");
  await deliver();
  rig.changeEpoch("another");
  await deliver();
  await rig.commit("a:2");
  await deliver();
  expect(ids()).toEqual(["a:1", "b:1", "a:2"]);
  expect(trail().marks).toMatchObject([
    { type: "changefeed.audit.genesis" },
    { type: "changefeed.audit.epoch", epoch: "another", nextSeq: 3 },
  ]);
});

test("a replay from any time adds nothing that is there", async () => {
  await rig.commit("a:1", "b:1", "c:1");
  await deliver();
  await rig.steer((position) => ({ ...position, cursor: { ...position.cursor, sequence: 0 }, replays: 1 }));
  await rig.commit("d:1");
  await deliver();
  expect(ids()).toEqual(["a:1", "b:1", "c:1", "d:1"]);
});

test("of what redaction took the entry says where it was, and nothing in the directory holds it", async () => {
  const redaction = new Redaction([{ patterns: ["hunter2"] }]);
  await rig.feed.commit(draft({ after: { Message: "token hunter2" } }));
  await deliver(redactedLog(rig.feed.log, redaction));
  const [event] = trail().events;
  expect(JSON.parse(event?.json ?? "{}")).toMatchObject({
    data: { after: { Message: "[redacted]" }, redacted: ["/after/Message"] },
  });
  const paths = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((path) =>
    path.isFile(),
  );
  const texts = paths.map((path) => readFileSync(join(path.parentPath, path.name), "latin1"));
  expect(texts.join("")).not.toContain("hunter2");
  expect(texts.join("")).toContain("[redacted]");
});

import { openDestination } from "../../../src/publishers/destinations.ts";
import { auditSettingsSchema } from "../../../src/schemas/destinations/audit.ts";
import { generateNoteKey } from "../../../src/tlog/note-keys.ts";
import { join } from "node:path";
import { describe } from "vitest";
import { eventsOfTrail } from "../../support/audit-trail.ts";
import { S3Server, s3Missing } from "../../support/s3-server.ts";
import { skippedBecause } from "../../support/skipped.ts";
import { destinationContract, type Counterpart } from "./register-destination.ts";

const missing = s3Missing();

describe.skipIf(missing !== undefined)(`with a real server for S3${skippedBecause(missing)}`, () => {
  // It does not go on behind an event that was not taken, as the contract asks of who hangs: audit-bucket.test.ts has that.
  destinationContract("an audit trail in a bucket", start, { canHang: false });
});

async function start(): Promise<Counterpart> {
  const server = await S3Server.start();
  const { bucket, endpoint, accessKeyId, secretAccessKey } = server;
  const { privateKey, verifierKey } = generateNoteKey("example.com/nomad");
  const secrets: Record<string, string> = {
    "env:AUDIT_KEY": privateKey,
    "env:ID": accessKeyId,
    "env:SECRET": secretAccessKey,
  };
  const s3 = { bucket, prefix: "prod", endpoint, accessKeyId: "env:ID", secretAccessKey: "env:SECRET" };
  const settings = auditSettingsSchema.parse({
    type: "audit",
    s3: { ...s3, allowPrivate: true },
    key: "env:AUDIT_KEY",
  });
  return {
    open: (deps) =>
      openDestination(settings, { ...deps, readSecret: (reference) => secrets[reference] ?? "" }),
    received: () => eventsOfTrail(join(server.folder, "prod"), verifierKey),
    hang: () => Promise.reject(new Error("not asked for")),
    goAway: () => server.kill(),
    comeBack: () => server.start(),
    keepsOnlyTheLog: true,
    hasOneWriter: true,
    secrets: [privateKey, secretAccessKey],
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDestination } from "../../../src/publishers/destinations.ts";
import { auditSettingsSchema } from "../../../src/schemas/destinations/audit.ts";
import { generateNoteKey } from "../../../src/tlog/note-keys.ts";
import { eventsOfTrail } from "../../support/audit-trail.ts";
import { openFilesBelow } from "../../support/open-files.ts";
import { destinationContract, type Counterpart } from "./register-destination.ts";

destinationContract("an audit trail", start, { canHang: false });

async function start(): Promise<Counterpart> {
  const root = await mkdtemp(join(tmpdir(), "ncf-audit-"));
  const directory = join(root, "trail");
  await mkdir(directory);
  const { privateKey, verifierKey } = generateNoteKey("example.com/nomad");
  const settings = auditSettingsSchema.parse({ type: "audit", directory, key: "env:AUDIT_KEY" });
  return {
    open: (deps) => openDestination(settings, { ...deps, readSecret: () => privateKey }),
    received: () => eventsOfTrail(directory, verifierKey),
    hang: () => Promise.reject(new Error("a directory holds up nobody")),
    goAway: () => rename(directory, `${directory}-away`),
    comeBack: () => rename(`${directory}-away`, directory),
    whenAway: { outcome: "refused", why: "config" },
    keepsOnlyTheLog: true,
    hasOneWriter: true,
    secrets: [privateKey],
    connections: () => openFilesBelow(root),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  };
}

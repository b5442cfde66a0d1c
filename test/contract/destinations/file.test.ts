import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDestination } from "../../../src/publishers/destinations.ts";
import { fileSettingsSchema } from "../../../src/schemas/destinations/file.ts";
import { openFilesBelow } from "../../support/open-files.ts";
import { destinationContract, type Counterpart } from "./register-destination.ts";
import { eventsOf } from "./event-lines.ts";

destinationContract("a file", start, { canHang: false });

async function start(): Promise<Counterpart> {
  const root = await mkdtemp(join(tmpdir(), "ncf-file-"));
  const folder = join(root, "feed");
  const path = join(folder, "events.jsonl");
  const counterpart: Counterpart = {
    open: (deps) => openDestination(fileSettingsSchema.parse({ type: "file", path }), deps),
    received: async () => eventsOf(await readFile(path, "utf8").catch(() => "")),
    hang: () => Promise.reject(new Error("a file holds up nobody")),
    goAway: () => rename(folder, `${folder}-away`),
    comeBack: () => rename(`${folder}-away`, folder),
    whenAway: { outcome: "refused", why: "config" },
    secrets: [],
    connections: () => openFilesBelow(root),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  };
  await mkdir(folder);
  return counterpart;
}

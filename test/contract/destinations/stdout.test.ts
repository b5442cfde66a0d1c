import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDestination } from "../../../src/publishers/destinations.ts";
import { stdoutSettingsSchema } from "../../../src/schemas/destinations/stdout.ts";
import { until } from "../../support/until.ts";
import { destinationContract } from "./register-destination.ts";
import { eventsOf } from "./event-lines.ts";

/** More than the system keeps for a reader who does not read; empty lines, which count for nothing. */
const FILLER = Buffer.alloc(8 * 2 ** 20, "\n");

destinationContract("stdout", async () => {
  const { stdout, reader, dispose } = await pipe();
  const read: Buffer[] = [];
  reader.on("data", (chunk) => read.push(chunk));
  const isRead = () => reader.bytesRead === stdout.bytesWritten;
  return {
    open: (deps) => openDestination(stdoutSettingsSchema.parse({ type: "stdout" }), { ...deps, stdout }),
    received: async () => {
      await until("all is read", isRead);
      return eventsOf(Buffer.concat(read).toString());
    },
    hang: async () => {
      reader.pause();
      stdout.write(FILLER);
    },
    goAway: async () => {
      reader.destroy();
      await once(reader, "close");
    },
    comeBack: async () => void reader.resume(),
    isGoneForGood: true,
    whenAway: { outcome: "refused", why: "gone" },
    secrets: [],
    [Symbol.asyncDispose]: dispose,
  };
});

/** A writable end, whose errors somebody listens to, and what reads it. */
async function pipe(): Promise<{ stdout: Socket; reader: Socket; dispose: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "ncf-stdout-"));
  const server = createServer({ allowHalfOpen: true }).listen(join(folder, "pipe"));
  const stdout = connect({ path: join(folder, "pipe"), allowHalfOpen: true }).on("error", () => undefined);
  const [reader] = (await once(server, "connection")) as [Socket];
  const dispose = async () => {
    stdout.destroy();
    reader.destroy();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  };
  return { stdout, reader, dispose };
}

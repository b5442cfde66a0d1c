import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const SOURCES = join(import.meta.dirname, "../../src");
/** Opens the log at each address, one after the other, and says what came of it and what it left in the process. */
const PROGRAM = `
import { openRedisLog } from "${SOURCES}/feed/redis/open.ts";
import { systemClock } from "${SOURCES}/shared/clock.ts";
import { silentLogger } from "${SOURCES}/telemetry/logger.ts";
for (const url of process.argv.slice(1)) {
  const options = { url, source: "nomad://test/global", logger: silentLogger(), clock: systemClock, silenceMs: 300 };
  const error = await openRedisLog(options).catch((reason) => reason);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const left = process.getActiveResourcesInfo().filter((name) => /TCP|TLS|Timeout|GetAddrInfo/.test(name));
  console.log(JSON.stringify({ code: error.code, retryable: error.retryable, message: error.message, left }));
}`;

interface Outcome {
  readonly code: string;
  readonly retryable: boolean;
  readonly message: string;
  readonly left: readonly string[];
}

async function openings(...urls: string[]): Promise<Outcome[]> {
  const flags = ["--disable-warning=ExperimentalWarning", "--input-type=module", "--eval", PROGRAM];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, "--", ...urls]);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Outcome);
}

describe("a log that cannot be reached is told soon, and leaves nothing behind", () => {
  // Accepts connections, and never says a word.
  let silent: Server;
  let port: number;
  const sockets = new Set<Socket>();
  beforeAll(async () => {
    silent = createServer((socket) => sockets.add(socket)).listen(0, "127.0.0.1");
    await once(silent, "listening");
    port = (silent.address() as { port: number }).port;
  });
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const forms = (hosts: string) => [
    `redis://${hosts.split(",")[0]}`,
    `rediss://${hosts.split(",")[0]}`,
    `redis+sentinel://${hosts}/main`,
    `rediss+sentinel://${hosts}/main`,
    `redis+cluster://${hosts}`,
    `rediss+cluster://${hosts}`,
  ];
  const told = (message: RegExp): Outcome => ({
    code: "LOG_UNAVAILABLE",
    retryable: true,
    message: expect.stringMatching(message) as string,
    left: [],
  });

  test("where nobody listens", async () => {
    const outcomes = await openings(...forms("127.0.0.1:1,[::1]:1"));
    expect(outcomes).toEqual(outcomes.map(() => told(/cannot be reached: .*ECONNREFUSED 127\.0\.0\.1:1/)));
    expect(outcomes).toHaveLength(6);
  });

  test("where the name of the host is not known", async () => {
    // A label this long is refused without asking any server for it.
    const outcomes = await openings(...forms(`${"a".repeat(64)}.invalid,${"b".repeat(64)}.invalid`));
    expect(outcomes).toEqual(outcomes.map(() => told(/cannot be reached: .*(ENOTFOUND|EAI_)/)));
  });

  test("where somebody accepts and says nothing", async () => {
    const outcomes = await openings(...forms(`127.0.0.1:${port},127.0.0.1:${port}`));
    expect(outcomes).toEqual(outcomes.map(() => told(/cannot be reached: /)));
  });
});

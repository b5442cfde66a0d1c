import { once } from "node:events";
import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, resolve } from "node:path";
import type { Config } from "../../../config/config.ts";
import { printSize } from "../../../schemas/value-types.ts";
import { LogInUse } from "../../../feed/errors.ts";
import { WriterLock } from "../../../feed/sqlite/lock.ts";
import { openSqliteLog } from "../../../feed/sqlite/open.ts";
import { sourceOfSqliteLog } from "../../../feed/sqlite/source.ts";
import type { Clock } from "../../../shared/clock.ts";
import { listenAddress } from "../../../shared/loopback.ts";
import { checkAccess } from "./access-checks.ts";
import { checkRedisLog } from "./redis-checks.ts";
import { foreignLog } from "./source-check.ts";
import { failure, failureOf, ok, warning, type Check } from "./check.ts";

interface Here {
  readonly region: string | undefined;
  readonly clock: Clock;
}

const MAKE_IT = "Create the directory of --feed and let this user write to it";
/** By the code of what the file system says. */
const ADVICE: ReadonlyMap<unknown, string> = new Map([
  ["EACCES", MAKE_IT],
  ["ENOENT", MAKE_IT],
  ["EROFS", "The disk is mounted read-only: name a path on another with --feed, or mount it to be written"],
]);
const LITTLE_BYTES = 100 * 2 ** 20;

/**
 * Who may subscribe, the log, with its disk where it is a file, and the port subscribers connect to.
 * @param here `region`: of the Nomad that answers; undefined where it did not say.
 */
export async function* checkHere(config: Config, here: Here): AsyncGenerator<Check> {
  yield* checkAccess(config, here.clock);
  if (config.feed.kind === "redis") {
    yield* checkRedisLog(config, here);
    yield* checkPorts(config, true);
    return;
  }
  const path = resolve(config.feed.path);
  const log = await checkLog(path, config, here);
  yield log;
  if (existsSync(dirname(path))) yield checkDisk(path, config.retention.maxBytes);
  yield* checkPorts(config, log.status === "warning");
}

/** A warning means: a process, most likely the feed itself, is writing it. */
async function checkLog(path: string, config: Config, { region, clock }: Here): Promise<Check> {
  try {
    if (!existsSync(path)) {
      accessSync(dirname(path), constants.W_OK);
      return ok("log", `${path} will be created`);
    }
    const log = await openSqliteLog({ path, readOnly: true, clock });
    const { epoch, sequence, floor } = await log.head();
    await log[Symbol.asyncDispose]();
    const foreign = foreignLog(config, path, sourceOfSqliteLog(path) ?? "", region);
    if (foreign !== undefined) return foreign;
    accessSync(path, constants.W_OK);
    WriterLock.acquire(path, () => "").release();
    return ok("log", `${path}: ${sequence - floor} events, newest ${epoch}-${sequence}`);
  } catch (error) {
    if (error instanceof LogInUse) return warning("log", error.message, "Fine if that is the feed you run");
    const advice = error instanceof Error && "code" in error ? ADVICE.get(error.code) : undefined;
    return advice === undefined ? failureOf("log", error) : failure("log", (error as Error).message, advice);
  }
}

function checkDisk(path: string, maxBytes: number | undefined): Check {
  const { bavail, bsize } = statfsSync(dirname(path));
  const freeBytes = bavail * bsize;
  const free = `${roundSize(freeBytes)} free`;
  if (freeBytes < LITTLE_BYTES)
    return failure("disk", free, "Make room, or keep the log elsewhere with --feed");
  const grownBytes = existsSync(path) ? statSync(path).size : 0;
  if (maxBytes !== undefined && maxBytes - grownBytes > freeBytes) {
    return warning(
      "disk",
      `${free}, but the log may grow to ${printSize(maxBytes)}`,
      "Lower --retention-bytes, or make room",
    );
  }
  return ok("disk", free);
}

function roundSize(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)}GiB` : `${(bytes / 2 ** 20).toFixed(0)}MiB`;
}

/** Where subscribers connect, and clients of Nomad where there is a stand-in for it. */
async function* checkPorts({ listen, compat }: Config, feedRuns: boolean): AsyncGenerator<Check> {
  yield await checkPort("port", { ...listen, flag: "--listen" }, feedRuns);
  if (compat !== undefined)
    yield await checkPort("compat port", { ...compat.listen, flag: "--compat-listen" }, feedRuns);
}

async function checkPort(
  name: string,
  { host, port, flag }: { host: string; port: number; flag: string },
  feedRuns: boolean,
): Promise<Check> {
  const server = createServer();
  const where = `${host}:${port}`;
  try {
    server.listen(port, listenAddress(host));
    await once(server, "listening");
    server.close();
    return ok(name, `${where} is free`);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE" && feedRuns) {
      return warning(name, `${where} is in use`, "Fine if that is the feed you run");
    }
    if (code === "EADDRINUSE") return failure(name, `${where} is in use`, `Choose another with ${flag}`);
    return failureOf(name, error);
  }
}

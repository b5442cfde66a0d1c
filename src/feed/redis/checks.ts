import { LogUnavailable, LogUnusable } from "../errors.ts";
import type { Connection } from "./connection.ts";
import type { Durability } from "./durability.ts";

/** Redis 6.2, whose streams can be trimmed by id. */
const OLDEST = [6, 2] as const;

export interface ServerReport {
  readonly version: string;
  /** What the operator should know, and what to do about it. */
  readonly warnings: readonly { readonly message: string; readonly hint: string }[];
}

/**
 * Refuses a server that cannot keep the log or would throw parts of it away; reports one that would forget it.
 * @throws LogUnusable, LogUnavailable (a replica).
 */
export async function checkServer(connection: Connection, durability: Durability): Promise<ServerReport> {
  const info = parseInfo(String(await connection.call("INFO")));
  const { where } = connection;
  const version = checkVersion(where, info);
  if (info.get("role") === "slave") {
    throw new LogUnavailable(`Redis at ${where} is a replica, which takes no writes`, {
      hint: `Its master is ${info.get("master_host")}:${info.get("master_port")}`,
    });
  }
  checkEviction(where, info);
  const warnings: ServerReport["warnings"][number][] = [];
  if (durability === "replica" && Number(info.get("connected_slaves")) === 0) {
    warnings.push({
      message: "No replica is connected to Redis: commits fail until one is",
      hint: "Start a replica, or use --redis-durability async",
    });
  }
  const appends = info.get("aof_enabled") === "1";
  if (durability === "fsync") await checkFsync(connection, appends);
  if (!appends) warnings.push(await whatARestartForgets(connection));
  return { version, warnings };
}

async function whatARestartForgets(connection: Connection): Promise<ServerReport["warnings"][number]> {
  const snapshots = await setting(connection, "save");
  return {
    message:
      snapshots === ""
        ? "Redis keeps nothing on its disk: when it restarts, all events, states and cursors are gone, and the feed begins anew"
        : "Redis keeps only snapshots of its memory: when it crashes, all that was written since the last one is gone",
    hint: "Set appendonly yes in redis.conf; at once: redis-cli CONFIG SET appendonly yes",
  };
}

function checkVersion(where: string, info: ReadonlyMap<string, string>): string {
  // Valkey says here which Redis it is like.
  const version = info.get("redis_version") ?? "0";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return version;
  throw new LogUnusable(`Redis at ${where} is version ${version}; 6.2 or newer is needed`, {
    hint: "Upgrade Redis, or use Valkey",
  });
}

function checkEviction(where: string, info: ReadonlyMap<string, string>): void {
  const policy = info.get("maxmemory_policy");
  if (policy === undefined || policy === "noeviction") return;
  throw new LogUnusable(
    `Redis at ${where} has maxmemory-policy ${policy}: it would delete parts of the log`,
    {
      hint: "Set it to noeviction: redis-cli CONFIG SET maxmemory-policy noeviction, and in redis.conf",
    },
  );
}

async function checkFsync(connection: Connection, appends: boolean): Promise<void> {
  if (!appends) throw needsFsync(connection.where, "it keeps no append-only file");
  const appendfsync = await setting(connection, "appendfsync");
  if (appendfsync !== "always") {
    throw needsFsync(connection.where, `its appendfsync is ${appendfsync ?? "not to be read"}`);
  }
}

function needsFsync(where: string, why: string): LogUnusable {
  return new LogUnusable(`--redis-durability fsync cannot be had of Redis at ${where}: ${why}`, {
    hint: "Set appendonly yes and appendfsync always in redis.conf, or use --redis-durability async",
  });
}

/** Undefined where we may not know: hosted servers keep CONFIG to themselves. */
async function setting(connection: Connection, name: string): Promise<string | undefined> {
  try {
    const [, value] = (await connection.call("CONFIG", "GET", name)) as string[];
    return value;
  } catch (error) {
    if (error instanceof LogUnusable) return undefined;
    throw error;
  }
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(/\r?\n/).flatMap((line): [string, string][] => {
      const split = line.indexOf(":");
      return split < 1 ? [] : [[line.slice(0, split), line.slice(split + 1)]];
    }),
  );
}

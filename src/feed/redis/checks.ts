import { LogUnavailable, LogUnusable } from "../errors.ts";
import type { Connection } from "./connection.ts";
import type { Durability } from "./durability.ts";
import { Reply } from "./reply.ts";

/** Redis 6.2, whose streams can be trimmed by id. */
const OLDEST = [6, 2] as const;

export interface ServerReport {
  /** "Redis 7.0.15", "Valkey 8.0.1". */
  readonly product: string;
  /** What the operator should know, and what to do about it. */
  readonly warnings: readonly { readonly message: string; readonly hint: string }[];
}

/**
 * Refuses a server that cannot keep the log or would throw parts of it away; reports one that would forget it.
 * @throws LogUnusable, LogUnavailable (a replica, a cluster that is down).
 */
export async function checkServer(connection: Connection, durability: Durability): Promise<ServerReport> {
  const info = await infoOf(connection, "INFO");
  const { where } = connection;
  checkKind(connection, info);
  const product = checkVersion(where, info);
  if (info.get("role") === "slave") {
    throw new LogUnavailable(`Redis at ${where} is a replica, which takes no writes`, {
      hint: `Its master is ${info.get("master_host")}:${info.get("master_port")}`,
    });
  }
  if (connection.kind === "cluster") await checkCluster(connection);
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
  return { product, warnings };
}

function checkKind({ where, kind }: Connection, info: ReadonlyMap<string, string>): void {
  const mode = info.get("redis_mode") ?? info.get("server_mode");
  if (mode === "sentinel") {
    throw new LogUnusable(`At ${where} is a Sentinel, which keeps no data`, {
      hint: "Write the address as redis+sentinel://host:26379/master-name",
    });
  }
  if (mode === "cluster" && kind !== "cluster") {
    throw new LogUnusable(`Redis at ${where} is a node of a cluster`, {
      hint: "Write the address as redis+cluster://host:6379",
    });
  }
}

async function checkCluster(connection: Connection): Promise<void> {
  const info = await infoOf(connection, "CLUSTER", "INFO");
  const state = info.get("cluster_state");
  if (state === "ok") return;
  throw new LogUnavailable(`The Redis Cluster at ${connection.where} is in state ${state}, not ok`, {
    hint: `It serves ${info.get("cluster_slots_ok")} of 16384 slots: see redis-cli --cluster check`,
  });
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
  const version = info.get("redis_version") ?? "0";
  // Valkey says in redis_version which Redis it is like.
  const valkey = info.get("valkey_version");
  const product = valkey === undefined ? `Redis ${version}` : `Valkey ${valkey}`;
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return product;
  throw new LogUnusable(`At ${where} is ${product}; Redis 6.2 or newer is needed`, {
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
  const waits = await connection.knows("WAITAOF");
  const wanted = waits
    ? "appendonly yes, and appendfsync everysec or always,"
    : "appendonly yes and appendfsync always";
  if (!appends) throw needsFsync(connection.where, "it keeps no append-only file", wanted);
  const appendfsync = await setting(connection, "appendfsync");
  if (waits ? appendfsync !== "no" : appendfsync === "always") return;
  const why = waits ? "" : "it has no WAITAOF, and ";
  throw needsFsync(connection.where, `${why}its appendfsync is ${appendfsync ?? "not to be read"}`, wanted);
}

function needsFsync(where: string, why: string, settings: string): LogUnusable {
  return new LogUnusable(`--redis-durability fsync cannot be had of Redis at ${where}: ${why}`, {
    hint: `Set ${settings} in redis.conf, or use --redis-durability async`,
  });
}

/** Undefined where we may not know: hosted servers keep CONFIG to themselves. */
async function setting(connection: Connection, name: string): Promise<string | undefined> {
  const reply = await connection.call("CONFIG", "GET", name).catch((error: unknown) => {
    if (error instanceof LogUnusable) return undefined;
    throw error;
  });
  if (reply === undefined) return undefined;
  return new Reply(reply, connection.sourceOfServer("the answer to CONFIG GET")).fields().get(name);
}

async function infoOf(
  connection: Connection,
  ...command: [string, ...string[]]
): Promise<ReadonlyMap<string, string>> {
  const text = String(await connection.call(...command));
  return new Map(
    text.split(/\r?\n/).flatMap((line): [string, string][] => {
      const split = line.indexOf(":");
      return split < 1 ? [] : [[line.slice(0, split), line.slice(split + 1)]];
    }),
  );
}

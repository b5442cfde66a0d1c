import { Redis } from "ioredis";
import { openLogToRead } from "../../src/bridge/log.ts";
import { assignmentsSchema, type AssignmentStatus } from "../../src/schemas/assignment-schema.ts";
import { scopeName } from "../../src/schemas/scope.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import type { BridgeProcess } from "./bridge-process.ts";
import { until } from "./until.ts";

/** Whether this worker says that every assignment of the feed is held, and every scope read. */
export async function seesAllWatched(worker: BridgeProcess): Promise<boolean> {
  const assignments = await assignmentsAt(await worker.url());
  const whole = assignments.every(({ state, condition }) => state === "held" && (condition ?? "ok") === "ok");
  return whole && assignments.some(({ assignment }) => assignment.includes("/"));
}

/** Every assignment of the feed, as the process that serves there knows of it; none where it cannot say. */
export async function assignmentsAt(url: string): Promise<readonly AssignmentStatus[]> {
  try {
    const response = await fetch(`${url}/v1/assignments`, { signal: AbortSignal.timeout(10_000) });
    return response.ok ? assignmentsSchema.parse(await response.json()).assignments : [];
  } catch {
    return [];
  }
}

/** Scopes that this worker claimed last, of the feed in Redis at `url`. */
export async function scopesOf(url: string, worker: BridgeProcess): Promise<string[]> {
  return [...(await owners(url))].filter(([, pid]) => pid === pidOf(worker)).map(([scope]) => scope);
}

/** How long, from now on, until others have claimed what the worker watched, as far as it is planned still. */
export async function takeoverMs(
  url: string,
  worker: BridgeProcess,
  watched: readonly string[],
  signal?: AbortSignal,
): Promise<number> {
  const begin = performance.now();
  await until("its scopes are watched by others", async () => {
    signal?.throwIfAborted();
    const now = await owners(url).catch(() => undefined);
    const planned = now && (await plannedScopes(url).catch(() => undefined));
    if (now === undefined || planned === undefined) return false;
    return watched.every((scope) => !planned.has(scope) || now.get(scope) !== pidOf(worker));
  });
  return Math.round(performance.now() - begin);
}

async function plannedScopes(url: string): Promise<ReadonlySet<string>> {
  const client = new Redis(url.replace(/\?.*/, ""), { maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on("error", () => undefined);
  try {
    return new Set(await client.hkeys(`ncf:{${new URL(url).searchParams.get("feed")}}:plan`));
  } finally {
    client.disconnect();
  }
}

/** Scope to the process that claimed it last. */
async function owners(url: string): Promise<Map<string, string>> {
  const log = await openLogToRead({ kind: "redis", url }, { logger: silentLogger(), clock: systemClock });
  try {
    const scopes = await log.scopes();
    return new Map(scopes.map(({ scope, owner }) => [scopeName(scope), owner.split("/")[1] ?? ""]));
  } finally {
    await log[Symbol.asyncDispose]();
  }
}

function pidOf(worker: BridgeProcess): string {
  return String(worker.child.pid);
}

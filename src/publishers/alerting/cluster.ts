import type { JobMetricsSeeding } from "../../alerts/job-metrics/seeding.ts";
import { Seeding, type ConsistentRead } from "../../alerts/model/seed.ts";
import type { ConsistentRead as LogRead, FeedLog, StateEntry } from "../../feed/log.ts";
import type { AssignmentStatus } from "../../schemas/assignment-schema.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import { isJsonObject, type Json } from "../../schemas/json.ts";
import { parseScopeName, scopeName } from "../../schemas/scope.ts";
import type { Clock } from "../../shared/clock.ts";
import { inTimeSlices } from "../../shared/time-slices.ts";

export interface ClusterDeps {
  readonly log: Pick<FeedLog, "consistentRead" | "scopes" | "outage">;
  /** Every assignment of the feed, whichever process does it. */
  readonly assignments: () => Promise<readonly AssignmentStatus[]>;
  readonly clock: Clock;
}

/** How long to wait for all scopes to be read; by then one that cannot be read has said so. */
const READ_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 250;

/** What of the state a rule asks for. */
const RESOURCES = ["namespaces", "nodes", "jobs", "deployments", "evaluations", "allocations"] as const;

/** Takes the objects one by one. */
type Take = Pick<Seeding, "take">;

/** All objects there are, ready for a fold; and the cursor at which that is true. `jobs` takes them too. */
export async function readCluster(
  deps: ClusterDeps,
  jobs: JobMetricsSeeding,
): Promise<{ cursor: Cursor; seeding: Seeding }> {
  await using read = await deps.log.consistentRead();
  // What ends after the read is told by an event after its cursor.
  const seeding = new Seeding(await troubles(deps));
  await takeAll(read, [seeding, jobs], deps.clock);
  return { cursor: read.cursor, seeding };
}

/** All objects there are for what is counted alone; answers the cursor at which they are. */
export async function readJobs(
  { log, clock }: Pick<ClusterDeps, "log" | "clock">,
  jobs: JobMetricsSeeding,
): Promise<Cursor> {
  await using read = await log.consistentRead();
  await takeAll(read, [jobs], clock);
  return read.cursor;
}

/** In slices of time. */
async function takeAll(read: Pick<LogRead, "entries">, takers: readonly Take[], clock: Clock): Promise<void> {
  for (const resource of RESOURCES)
    for await (const entries of read.entries({ resource })) await inTimeSlices(taken(entries, takers), clock);
}

function* taken(entries: readonly StateEntry[], takers: readonly Take[]): Generator<void, void> {
  for (const { ref, stub } of entries) {
    const parsed = JSON.parse(stub.toString("utf8")) as Json;
    if (isJsonObject(parsed)) for (const taker of takers) taker.take(ref, parsed);
    yield;
  }
}

/** As the feed told of them. */
async function troubles({ log, assignments }: ClusterDeps): Promise<ConsistentRead["troubles"]> {
  const reasons = new Map((await assignments()).map(({ assignment, reason }) => [assignment, reason]));
  const feed = (await log.outage()) === null ? [] : [trouble(null, "stale", "Nomad cannot be read")];
  // What Nomad does not have is no trouble.
  const own = (await log.scopes()).flatMap(({ scope, notes }) =>
    notes.trouble === null ||
    notes.trouble === "unsupported" ||
    notes.covered === true ||
    !reasons.has(scopeName(scope))
      ? []
      : [trouble(scope, notes.trouble, reasons.get(scopeName(scope)) ?? notes.trouble)],
  );
  return [...feed, ...own];
}

type Trouble = ConsistentRead["troubles"][number];

function trouble(scope: Trouble["scope"], state: Trouble["state"], reason: string): Trouble {
  return { scope, state, reason };
}

/** Waits until what the log says of the cluster is up to date, or known not to be. */
export async function untilRead(
  { clock, assignments }: Pick<ClusterDeps, "clock" | "assignments">,
  signal: AbortSignal,
): Promise<void> {
  const endsAt = clock.elapsed() + READ_WITHIN_MS;
  while (!signal.aborted && clock.elapsed() < endsAt) {
    if (isRead(await assignments())) return;
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}

/** Whether each scope was read by whoever watches it now, or is known to be one that cannot be. */
function isRead(statuses: readonly AssignmentStatus[]): boolean {
  const scopes = statuses.filter(({ assignment }) => parseScopeName(assignment) !== undefined);
  return scopes.length > 0 && scopes.every(({ condition }) => condition !== null && condition !== "starting");
}

import { placementReasons } from "../../schemas/placement.ts";
import { numberOf, textOf } from "../../alerts/model/stub.ts";
import type { JsonObject } from "../../schemas/json.ts";
import { named, type ObjectFact } from "./facts.ts";
import { triggerWords } from "./trigger-words.ts";
import { shortId } from "../../shared/short-id.ts";

type Say = (who: string, stub: JsonObject) => string;

const because = (words: string): string => (words === "" ? "" : `: ${words}`);
const says =
  (words: string): Say =>
  (who) =>
    `${who} ${words}`;
const saysWhy =
  (words: string, field: string): Say =>
  (who, stub) =>
    `${who} ${words}${because(textOf(stub, field))}`;

/** What a signal means, of whom: the signals that a story tells of. */
const WORDS: ReadonlyMap<string, Say> = new Map<string, Say>([
  ["job.registered", says("was registered")],
  ["job.child_launched", (who, stub) => `${who} was launched by job ${textOf(stub, "ParentID")}`],
  ["job.updated", says("was registered again, or scaled")],
  ["job.reverted", says("went back to an earlier version")],
  ["job.stopped", says("was stopped by somebody")],
  ["job.started", says("was started again by somebody")],
  ["job.dead", says("has nothing that runs any more")],
  ["job.placement_queued", says("has allocations that wait for room")],
  ["job.purged", says("was purged")],
  ["job.garbage_collected", says("was garbage collected after it had ended")],
  ["node.registered", says("came into the cluster")],
  ["node.ready", says("is up")],
  ["node.down", says("is down: it missed its heartbeats, or said goodbye")],
  ["node.disconnected", says("missed its heartbeats; what is on it may still run")],
  ["node.draining", says("is being drained")],
  ["node.drain_complete", says("is drained: nothing is left on it")],
  ["node.drain_canceled", says("is not drained any more: that was called off")],
  ["node.ineligible", says("gets nothing more to run")],
  ["node.eligible", says("takes allocations again")],
  ["node.driver_unhealthy", says("has a task driver that does not work any more")],
  ["node.gone", says("was purged, or collected after being down")],
  ["allocation.placed", placedWords],
  ["allocation.replacement_placed", says("is in place of one that failed or was lost")],
  ["allocation.running", says("runs")],
  ["allocation.completed", says("ended as it should")],
  ["allocation.failed", saysWhy("failed", "ClientDescription")],
  ["allocation.lost", says("is lost: its node is down")],
  ["allocation.unknown", says("may still run: its node is disconnected")],
  ["allocation.reconnected", says("runs, and its node is back")],
  ["allocation.stop_requested", saysWhy("was told to stop", "DesiredDescription")],
  ["allocation.evicted", saysWhy("is to make room", "DesiredDescription")],
  ["allocation.preempted", says("has to go: one of higher priority takes its place")],
  ["allocation.rescheduled", says("is followed by another one that takes over")],
  ["allocation.migrating", says("is to move off its node")],
  ["allocation.healthy", says("counts as healthy for its deployment")],
  ["allocation.unhealthy", says("counts as unhealthy for its deployment")],
  [
    "deployment.started",
    (who, stub) => `${who} of job ${textOf(stub, "JobID")}, version ${numberOf(stub, "JobVersion")}, began`,
  ],
  ["deployment.needs_promotion", says("waits for somebody to promote its canaries")],
  ["deployment.promoted", says("had its canaries promoted")],
  ["deployment.succeeded", says("completed")],
  ["deployment.failed", saysWhy("failed", "StatusDescription")],
  ["deployment.auto_reverted", says("makes Nomad go back to the last stable version of the job")],
  ["deployment.cancelled", saysWhy("was cancelled", "StatusDescription")],
  ["deployment.paused", says("was paused by somebody")],
  ["deployment.resumed", says("goes on after a pause")],
  ["evaluation.blocked", blockedWords],
  ["evaluation.unblocked", says("goes on: there may be room now")],
  ["evaluation.failed", saysWhy("failed: the scheduler gave up on it", "StatusDescription")],
  ["evaluation.placement_failed", blockedWords],
  ["namespace.created", says("was created")],
  ["namespace.deleted", says("was deleted")],
]);

/** The sentence for a signal of an object, by its stub then; undefined where a story does not tell of it. */
export function signalWords(signal: string, { ref }: ObjectFact, stub: JsonObject): string | undefined {
  return WORDS.get(signal)?.(capital(nameOf(ref, stub)), stub);
}

/** What is told of an object whose beginning the log does not hold, by its stub. */
export function beginningWords({ ref, stub }: ObjectFact): string | undefined {
  const who = capital(nameOf(ref, stub));
  if (ref.resource === "allocations") return placedWords(who, stub);
  if (ref.resource === "evaluations") return evaluatedWords(ref, stub);
  if (ref.resource === "jobs") return `${who} was submitted`;
  return ref.resource === "deployments" ? WORDS.get("deployment.started")?.(who, stub) : undefined;
}

/** "Job web was evaluated because … (evaluation 4a64cd9a)". */
export function evaluatedWords(ref: ObjectFact["ref"], stub: JsonObject): string {
  const words = triggerWords(textOf(stub, "TriggeredBy"), textOf(stub, "JobID"));
  return `${capital(words)} (${named(ref)})`;
}

/** "evaluation 4a64cd9a could not place all: web: memory exhausted on 3 nodes"; with what Nomad says. */
function blockedWords(who: string, stub: JsonObject): string {
  const waits = textOf(stub, "Status") === "blocked" ? "waits for room" : "could not place all";
  return `${who} ${waits}${because(placementReasons(stub).join("; "))}`;
}

function placedWords(who: string, stub: JsonObject): string {
  const node = textOf(stub, "NodeName") || shortId(textOf(stub, "NodeID"));
  return `${who} (${textOf(stub, "Name")}, version ${numberOf(stub, "JobVersion")}) was placed on node ${node}`;
}

/** Nodes by their name, all else as its id begins. */
export function nameOf(ref: ObjectFact["ref"], stub: JsonObject): string {
  const name = textOf(stub, "Name");
  return ref.resource === "nodes" && name !== "" ? `node ${name}` : named(ref);
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

import { isFilled, numberOf, textOf } from "../../alerts/model/stub.ts";
import { readInSlices } from "../../publishers/work/read-scheduler.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import { isJsonObject, type Json, type JsonObject } from "../../schemas/json.ts";
import { refOfEvent, subjectOf, type ObjectRef, type ResourceType } from "../../schemas/resources.ts";
import { SEVERITIES } from "../../schemas/severity.ts";
import { eventFact } from "./event-fact.ts";
import type { ObjectFact } from "./facts.ts";
import type { GatherParts } from "./gather-parts.ts";
import { previousOf } from "./links.ts";
import { isRolloutOf } from "./rollouts.ts";

/** Events of a job or a node that are looked through: the newest that the reader may see. */
const MAX_SCANNED = 300;
/** Objects of the state that are looked through where the log has no event that would lead to them. */
const MAX_STATE = 20_000;

/** What the others belong to. */
type Owner = { readonly job: string; readonly namespace: string } | { readonly node: string };

/** An object that may be tied to another, by its newest event or by the state. */
interface Candidate {
  readonly ref: ObjectRef;
  readonly stub: JsonObject;
  /** Whether something of it was at least a warning. */
  readonly isTroubled: boolean;
}

/** Of an object the others that name it, or go with it, while it does not name them. */
export class Neighbours {
  readonly #parts: GatherParts;
  readonly #seen = new Map<string, Promise<Candidate[]>>();
  readonly #cuts = new Set<string>();

  constructor(parts: GatherParts) {
    this.#parts = parts;
  }

  async of(object: ObjectFact): Promise<ObjectRef[]> {
    const { ref } = object;
    if (ref.resource === "allocations") return this.#ofAllocation(object);
    if (ref.resource === "deployments") return this.#ofDeployment(object);
    if (ref.resource === "evaluations") return this.#ofEvaluation(object);
    if (ref.resource === "jobs") return this.#ofJob(object);
    return ref.resource === "nodes" ? this.#ofNode(object) : [];
  }

  /** The rollout that an allocation is of. */
  async deploymentOf(object: ObjectFact): Promise<ObjectRef[]> {
    if (object.ref.resource !== "allocations") return [];
    const found = await this.#ofKind(object.ref, textOf(object.stub, "JobID"), "deployments");
    return newest(
      found.filter((other) => isRolloutOf(other, object)),
      1,
    );
  }

  missing(): string[] {
    return [...this.#cuts];
  }

  async #ofAllocation(object: ObjectFact): Promise<ObjectRef[]> {
    const { ref, stub } = object;
    const others = (await this.#ofKind(ref, textOf(stub, "JobID"), "allocations")).filter(
      (other) => other.ref.key !== ref.key,
    );
    const before = others.filter((other) => isFollowedBy(other.stub, ref.key));
    const after = others.filter(
      (other) => isFollowedBy(stub, other.ref.key) || previousOf(other.stub) === ref.key,
    );
    const sameName = others.filter((other) => textOf(other.stub, "Name") === textOf(stub, "Name"));
    const older = sameName.filter((other) => created(other.stub) < created(stub));
    const job: ObjectRef[] = isFilled(stub, "JobID")
      ? [{ ...ref, resource: "jobs", key: textOf(stub, "JobID") }]
      : [];
    return [
      ...job,
      ...newest(before.length > 0 ? before : older, 1),
      ...newest(after, 1),
      ...(await this.deploymentOf(object)),
    ];
  }

  async #ofDeployment(object: ObjectFact): Promise<ObjectRef[]> {
    const { ref, stub } = object;
    const job = textOf(stub, "JobID");
    const allocations = (await this.#ofKind(ref, job, "allocations")).filter((other) =>
      isRolloutOf(object, other),
    );
    const evaluations = (await this.#ofKind(ref, job, "evaluations")).filter(
      (other) => textOf(other.stub, "DeploymentID") === ref.key,
    );
    return [...troubledOrNewest(allocations, 6, 3), ...newest(evaluations, 5)];
  }

  async #ofEvaluation({ ref, stub }: ObjectFact): Promise<ObjectRef[]> {
    const job = textOf(stub, "JobID");
    const allocations = (await this.#ofKind(ref, job, "allocations")).filter(
      (other) => textOf(other.stub, "EvalID") === ref.key,
    );
    const evaluations = (await this.#ofKind(ref, job, "evaluations")).filter((other) =>
      ["PreviousEval", "BlockedEval", "NextEval"].some((field) => textOf(other.stub, field) === ref.key),
    );
    return [...newest(allocations, 8), ...newest(evaluations, 5)];
  }

  async #ofJob({ ref }: ObjectFact): Promise<ObjectRef[]> {
    const deployments = await this.#ofKind(ref, ref.key, "deployments");
    const evaluations = await this.#ofKind(ref, ref.key, "evaluations");
    const allocations = await this.#ofKind(ref, ref.key, "allocations");
    const waiting = evaluations.filter(({ stub }) => isWaiting(stub));
    return [
      ...newest(deployments, 2),
      ...newest(waiting, 3),
      ...newest(evaluations, 1),
      ...troubledOrNewest(allocations, 5, 3),
    ];
  }

  async #ofNode({ ref }: ObjectFact): Promise<ObjectRef[]> {
    const around = await this.#around({ node: ref.key });
    const allocations = around.filter((other) => other.ref.resource === "allocations");
    const evaluations = around.filter((other) => other.ref.resource === "evaluations");
    return [...troubledOrNewest(allocations, 8, 5), ...newest(evaluations, 5)];
  }

  /** Of a job, by the log; by the state where the log has none. */
  async #ofKind({ namespace }: ObjectRef, job: string, kind: ResourceType): Promise<Candidate[]> {
    if (job === "") return [];
    const around = await this.#around({ job, namespace });
    const found = around.filter(({ ref }) => ref.resource === kind);
    if (found.length > 0) return found;
    const name = `${kind}/${namespace}/${job}`;
    let scanned = this.#seen.get(name);
    if (scanned === undefined) {
      scanned = this.#inState({ resource: kind, namespace }, job);
      this.#seen.set(name, scanned);
    }
    return scanned;
  }

  #around(of: Owner): Promise<Candidate[]> {
    const name = JSON.stringify(of);
    const known = this.#seen.get(name) ?? this.#inLog(of);
    this.#seen.set(name, known);
    return known;
  }

  /** Each object once, by its newest event. */
  async #inLog(of: Owner): Promise<Candidate[]> {
    const { log, read } = this.#parts;
    const found = new Map<string, Candidate>();
    for await (const entry of this.#newestEvents(of)) {
      const ref = refOfEvent(entry);
      if (ref === undefined) continue;
      const isTroubled = SEVERITIES[entry.severity] >= SEVERITIES.WARN;
      const known = found.get(subjectOf(ref));
      if (known !== undefined) {
        if (isTroubled && !known.isTroubled) found.set(subjectOf(ref), { ...known, isTroubled });
        continue;
      }
      const { stub } = await eventFact(entry, read.cursor.epoch, (sequence) => log.overflow(sequence));
      found.set(subjectOf(ref), { ref, stub, isTroubled });
    }
    return [...found.values()];
  }

  /** Of those that the reader may see: the others must not show by what they leave room for. */
  async *#newestEvents(of: Owner): AsyncGenerator<LogEntry> {
    const { log, read, task, access } = this.#parts;
    const scan = log.scanHistory({
      ...of,
      order: "newest-first",
      before: read.cursor.sequence + 1,
      includes: (facts) => access.maySee(facts),
    });
    let looked = 0;
    for await (const entries of readInSlices(task, scan)) {
      for (const entry of entries) {
        if (task.isOver) await task.nextSlice();
        yield entry;
        looked += 1;
        if (looked < MAX_SCANNED) continue;
        this.#cuts.add(`Only the newest ${MAX_SCANNED} events of the job or node were looked through`);
        return;
      }
    }
  }

  async #inState(part: { resource: ResourceType; namespace: string }, job: string): Promise<Candidate[]> {
    const { read, task, access } = this.#parts;
    if (!access.maySee({ ...part, key: null })) return [];
    const found: Candidate[] = [];
    let looked = 0;
    for await (const entries of readInSlices(task, read.entries(part))) {
      for (const { ref, stub: bytes } of entries) {
        if (task.isOver) await task.nextSlice();
        looked += 1;
        if (!bytes.includes(job)) continue;
        const stub = JSON.parse(bytes.toString()) as Json;
        if (isJsonObject(stub) && textOf(stub, "JobID") === job) found.push({ ref, stub, isTroubled: false });
      }
      if (looked < MAX_STATE) continue;
      this.#cuts.add(`Only ${MAX_STATE} of the ${part.resource} in ${part.namespace} were looked through`);
      break;
    }
    return found;
  }
}

function isFollowedBy(stub: JsonObject, key: string): boolean {
  return textOf(stub, "NextAllocation") === key;
}

function isWaiting(stub: JsonObject): boolean {
  const status = textOf(stub, "Status");
  return status === "blocked" || status === "failed" || isFilled(stub, "BlockedEval");
}

function created(stub: JsonObject): number {
  return numberOf(stub, "CreateIndex");
}

function newest(candidates: readonly Candidate[], count: number): ObjectRef[] {
  return candidates
    .toSorted((a, b) => created(b.stub) - created(a.stub))
    .slice(0, count)
    .map(({ ref }) => ref);
}

function troubledOrNewest(candidates: readonly Candidate[], troubled: number, others: number): ObjectRef[] {
  const withTrouble = candidates.filter(({ isTroubled }) => isTroubled);
  return withTrouble.length > 0 ? newest(withTrouble, troubled) : newest(candidates, others);
}
